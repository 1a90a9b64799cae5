"""TIFF files that neither Pillow nor OpenCV reads rightly: by tifffile, and by imagecodecs where they are packed.

tifffile is small and pure Python, so that BigTIFF needs nothing more; imagecodecs, for zstd, WebP and LZW, takes 46 MB
and is an extra. Among the pages the picture is the first that is no thumbnail (NewSubfileType, TIFF 6.0, section 8).
"""

from __future__ import annotations

import io
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, from_numpy

from gpen_fast.errors import PictureError, first_line
from gpen_fast.image.directory import TagEntry, TagFile, TagTree, tag_tree
from gpen_fast.image.exif import exif_of_tree
from gpen_fast.image.metadata import DESCRIPTIVE_TAGS
from gpen_fast.stages.load.colours import as_srgb
from gpen_fast.stages.load.content import check_declared

Pixels = NDArray[np.uint8 | np.uint16]

# Tags (TIFF 6.0; ICC.1:2022, B.4; XMP part 3, 3.2.3) and their values.
_NEW_SUBFILE, _SUBFILE, _WIDTH, _LENGTH, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 255, 256, 257, 258, 259, 262
_SAMPLES, _X_RESOLUTION, _Y_RESOLUTION, _PLANES, _UNIT, _TILE_WIDTH, _TILE_LENGTH = (
    277,
    282,
    283,
    284,
    296,
    322,
    323,
)
_EXTRA, _FORMAT, _XMP, _ICC = 338, 339, 700, 34675
# Bits of NewSubfileType: a smaller copy, a mask. SubfileType says the first by 2.
_SMALLER, _MASK, _OLD_SMALLER = 1, 4, 2
_WHITE_IS_ZERO, _BLACK_IS_ZERO, _RGB, _PALETTE, _CMYK, _YCBCR, _LAB, _ICC_LAB = 0, 1, 2, 3, 5, 6, 8, 9
_RAW_CAMERA = frozenset({32803, 34892})
_JPEG, _OLD_JPEG = 7, 6
# Packings that libtiff inside Pillow or OpenCV lacks: LERC, LZMA, zstd, WebP, JPEG XL, JPEG 2000.
_RARE = frozenset({34887, 34925, 50000, 50001, 50002, 52546, 34712, 33003, 33005})
_COLOURS = {_RGB: 3, _CMYK: 4, _YCBCR: 3, _LAB: 3, _ICC_LAB: 3}
_PREMULTIPLIED, _ALPHA = 1, 2
_CENTIMETRES = 3
_MOST_PAGES = 10_000


class _Page(NamedTuple):
    """The page that is the picture."""

    file: TagFile
    position: int
    at: int
    tags: dict[int, TagEntry]
    pages: int

    def number(self, tag: int, default: int) -> int:
        """The first value of a tag."""
        return next(iter(self.file.numbers(self.tags.get(tag))), default)


def picture_page(data: bytes) -> _Page:
    """Finds the picture among the pages of a TIFF.

    Raises:
        ValueError: The first directory does not lie in the file.
    """
    file = TagFile.of(data)
    found: list[_Page] = []
    at, index, seen = file.first, 0, set[int]()
    while at and at not in seen and index < _MOST_PAGES:
        seen.add(at)
        try:
            directory = file.directory(at)
        except ValueError:
            if not index:
                raise
            break
        found.append(_Page(file, index, at, directory.entries, 0))
        at, index = directory.next, index + 1
    full = [page for page in found if not _is_thumbnail(page)]
    page = (full or found)[0]
    return page._replace(pages=max(1, len(full)))


def read_rare_tiff(data: bytes, max_pixels: int, notes: list[str]) -> tuple[Image.Image, Tensor] | None:
    """Reads a TIFF of a kind that the other decoders do not read rightly.

    Args:
        data: The whole file.
        max_pixels: The most pixels that its header may declare.
        notes: What the user should know of it is appended here.

    Returns:
        An empty image with what the file says about the picture, and the pixels, (H,W,1|2|3|4) uint8 or uint16, not
        turned upright. None for a TIFF of another kind, and for one whose header is damaged.

    Raises:
        PictureError: It holds no picture that can be read, or a package is missing.
    """
    try:
        page = picture_page(data)
    except ValueError:
        return None
    photometric = page.number(_PHOTOMETRIC, -1)
    if photometric in _RAW_CAMERA:
        raise PictureError("holds a camera's raw data, which is not read. Develop it first.")
    if not _is_rare(page, photometric):
        return None
    for width, height in ((_WIDTH, _LENGTH), (_TILE_WIDTH, _TILE_LENGTH)):
        check_declared(page.number(width, 0), page.number(height, 0), max_pixels)
    array = _scaled(_decoded(page, photometric), _bits(page), notes)
    header = _header(page, photometric)
    if page.position:
        notes.append("its thumbnail is left out.")
    return header, from_numpy(np.ascontiguousarray(_as_colours(array, page, photometric, header, notes)))


def _is_thumbnail(page: _Page) -> bool:
    kind = page.number(_NEW_SUBFILE, 0)
    return bool(kind & (_SMALLER | _MASK)) or page.number(_SUBFILE, 1) == _OLD_SMALLER


def _bits(page: _Page) -> int:
    values = set(page.file.numbers(page.tags.get(_BITS))) or {1}
    return values.pop() if len(values) == 1 else 0


def _is_rare(page: _Page, photometric: int) -> bool:
    bits = _bits(page)
    planar = page.number(_PLANES, 1) != 1 and page.number(_SAMPLES, 1) > 1
    deep_ink = bits > 8 and photometric in (_CMYK, _LAB)
    packing = page.number(_COMPRESSION, 1) in _RARE
    grey_alpha = bits == 16 and page.number(_SAMPLES, 1) == 2
    return (
        page.file.big
        or page.position > 0
        or packing
        or grey_alpha
        or deep_ink
        or photometric == _ICC_LAB
        or 8 < bits < 16
        or (bits == 16 and planar)
    )


def _decoded(page: _Page, photometric: int) -> Pixels:
    """(H,W,S), as tifffile gives them."""
    import tifffile

    bits, formats = _bits(page), set(page.file.numbers(page.tags.get(_FORMAT))) or {1}
    known = photometric in _COLOURS or photometric in (_WHITE_IS_ZERO, _BLACK_IS_ZERO, _PALETTE)
    packing = page.number(_COMPRESSION, 1)
    if not known or formats != {1} or not 1 <= bits <= 16 or (photometric == _YCBCR and packing != _JPEG):
        raise PictureError(
            f"a TIFF of {bits or 'unequal'} bits, photometric {photometric}, sample format "
            f"{', '.join(map(str, sorted(formats)))}, packing {packing}: accepted are whole numbers of 1 to 16 bits in "
            "grey, RGB, palette, CMYK or Lab. Convert it first."
        )
    with tifffile.TiffFile(io.BytesIO(page.file.data)) as file:
        try:
            array = file.pages[page.position].asarray(maxworkers=1)
        except ValueError as cause:
            if "imagecodecs" in str(cause):
                raise PictureError(
                    f"a TIFF of packing {packing} needs imagecodecs, which is not installed. "
                    "Try: pip install 'gpen-fast[tiff]'"
                ) from cause
            raise PictureError(f"damaged: {first_line(cause).rstrip('.')}.") from cause
    if page.number(_PLANES, 1) != 1 and array.ndim == 3:
        array = np.moveaxis(array, 0, -1)
    shape = (page.number(_LENGTH, 0), page.number(_WIDTH, 0), page.number(_SAMPLES, 1))
    if array.dtype not in (np.uint8, np.uint16, np.bool_) or array.size != np.prod(shape):
        raise PictureError(f"a TIFF of {array.shape} {array.dtype} where its header says {shape}.")
    return array.reshape(shape)


def _scaled(array: Pixels, bits: int, notes: list[str]) -> Pixels:
    """Samples over the full range of 8 or 16 bits."""
    if bits in (8, 16):
        return array
    to = 8 if bits < 8 else 16
    if to == 16:
        notes.append(f"its {bits} bits are read as 16.")
    top, wanted = 2**bits - 1, 2**to - 1
    scaled = (array.astype(np.uint32) * wanted + top // 2) // top
    return scaled.astype(np.uint8 if to == 8 else np.uint16)


def _as_colours(
    array: Pixels, page: _Page, photometric: int, header: Image.Image, notes: list[str]
) -> Pixels:
    """(H,W,1|2|3|4): grey or RGB, alpha last and straight."""
    colours = _COLOURS.get(photometric, 1)
    extra = page.number(_EXTRA, _ALPHA) if array.shape[2] > colours else 0
    colour, alpha = array[:, :, :colours], array[:, :, colours : colours + 1]
    if photometric == _WHITE_IS_ZERO:
        colour = np.iinfo(colour.dtype).max - colour
    elif photometric == _PALETTE:
        colour = _of_palette(colour, page)
    elif photometric in (_CMYK, _LAB, _ICC_LAB):
        colour, alpha = _as_bytes(colour, notes), _as_bytes(alpha, [])
        if photometric == _LAB:
            colour = colour ^ np.array([0, 128, 128], np.uint8)  # its second and third samples are signed
        bands = [Image.fromarray(np.ascontiguousarray(colour[:, :, band])) for band in range(colours)]
        picture = Image.merge(header.mode, bands)
        picture.info = header.info
        colour = np.array(as_srgb(picture))
    if extra == _PREMULTIPLIED:
        colour = _straight(colour, alpha)
    return np.concatenate([colour, alpha], axis=2) if extra in (_ALPHA, _PREMULTIPLIED) else colour


def _of_palette(array: Pixels, page: _Page) -> Pixels:
    table = np.array(page.file.numbers(page.tags.get(320)), np.uint16)
    bits = _bits(page)
    if len(table) != 3 * 2**bits or bits > 8:
        raise PictureError("damaged: a palette of another length than its bits say.")
    # `_scaled` has spread the indexes over 8 bits.
    index = array[:, :, 0].astype(np.uint32) * (2**bits - 1) // 255
    return (table.reshape(3, -1) >> 8).astype(np.uint8)[:, index].transpose(1, 2, 0)


def _as_bytes(array: Pixels, notes: list[str]) -> Pixels:
    if array.dtype == np.uint8:
        return array
    notes.append("its 16 bits are read as 8.")
    return (array >> 8).astype(np.uint8)


def _straight(colour: Pixels, alpha: Pixels) -> Pixels:
    """The colours with the multiplication by alpha undone (TIFF 6.0, section 18)."""
    top = np.iinfo(colour.dtype).max
    whole = np.divide(colour * float(top), alpha, out=np.zeros(colour.shape), where=alpha > 0)
    return whole.round().clip(0, top).astype(colour.dtype)


def _header(page: _Page, photometric: int) -> Image.Image:
    """An empty image that says of the picture what Pillow's header says of other files."""
    mode = {_CMYK: "CMYK", _LAB: "LAB", _ICC_LAB: "LAB"}.get(photometric, "RGB")
    header = Image.new(mode, (1, 1))
    header.format = "TIFF"
    tree, order = tag_tree(page.file, page.at), page.file.order
    entries = [entry for entry in tree.entries if entry.tag in DESCRIPTIVE_TAGS]
    header.info["exif"] = exif_of_tree(TagTree(entries, tree.branches), order)
    for tag, name in ((_ICC, "icc_profile"), (_XMP, "xmp")):
        if tag in page.tags:
            header.info[name] = page.tags[tag].data
    unit = 2.54 if page.number(_UNIT, 2) == _CENTIMETRES else 1.0
    if page.number(_UNIT, 2) in (2, _CENTIMETRES):
        ratios = [_ratio(page, tag) * unit for tag in (_X_RESOLUTION, _Y_RESOLUTION)]
        header.info["dpi"] = tuple(ratios)
    header.n_frames = page.pages  # type: ignore[attr-defined]  # as Pillow's readers of several pages have it
    return header


def _ratio(page: _Page, tag: int) -> float:
    entry = page.tags.get(tag)
    if entry is None or len(entry.data) != 8:
        return 0.0
    above, below = np.frombuffer(entry.data, page.file.order + "u4").tolist()
    return above / below if below else 0.0

"""What a picture file says about its pixels: the TIFF tags, ICC header fields and limits that the package uses."""

from __future__ import annotations

from gpen_fast.types import ICC_GREY, ICC_RGB

# The tags of a TIFF's main directory that describe the picture: this program's mark, description, make, model,
# orientation, resolution and its unit, software, date, artist, copyright, EXIF and GPS. The others say where the pixels
# lie in that one file.
DESCRIPTIVE_TAGS = frozenset({11, 270, 271, 272, 274, 282, 283, 296, 305, 306, 315, 33432, 34665, 34853})

# Bytes of EXIF and XMP that one JPEG segment holds: 65535 less its length field, and for XMP less its name
# (ITU-T T.81, B.1.1.4; CIPA DC-008, 4.5.5; XMP part 3, 1.1.3).
MOST_EXIF, MOST_XMP = 65533, 65502

# An ICC profile's first field, its size in bytes, and the bytes of its header and tag count, which it has at least
# (ICC.1:2022, 7.2.2 and 7.3.1). Its colour space is read by `icc_space` of gpen_fast.types, which the PNG encoder
# needs too: `png` does not import this folder.
ICC_SIZE, LEAST_ICC = slice(0, 4), 132
# Colour channels of the pictures that a profile of each space describes.
ICC_CHANNELS = {ICC_RGB: 3, ICC_GREY: 1}

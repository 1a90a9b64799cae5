"""EXIF states the size of the picture that carries it."""

from __future__ import annotations

from PIL import Image

from gpen_fast.image.metadata import (
    EXIF_DIRECTORY,
    IMAGE_LENGTH,
    IMAGE_WIDTH,
    PIXEL_X_DIMENSION,
    PIXEL_Y_DIMENSION,
    exif_of_size,
)

DESCRIPTION = 0x010E


def exif(width: int | None = None, details: tuple[int, int] | None = None) -> bytes:
    made = Image.Exif()
    made[DESCRIPTION] = "mother"
    if width is not None:
        made[IMAGE_WIDTH] = width
    if details is not None:
        made.get_ifd(EXIF_DIRECTORY).update(
            dict(zip((PIXEL_X_DIMENSION, PIXEL_Y_DIMENSION), details, strict=True))
        )
    return made.tobytes()


def test_wrong_sizes_are_corrected_and_absent_ones_stay_absent() -> None:
    read = Image.Exif()
    read.load(exif_of_size(exif(4000, (4000, 3000)), 80, 60))
    details = read.get_ifd(EXIF_DIRECTORY)
    assert (read[IMAGE_WIDTH], details[PIXEL_X_DIMENSION], details[PIXEL_Y_DIMENSION]) == (80, 80, 60)
    assert IMAGE_LENGTH not in read
    assert read[DESCRIPTION] == "mother"


def test_true_or_unstated_sizes_leave_every_byte() -> None:
    for data in (exif(), exif(80, (80, 60))):
        assert exif_of_size(data, 80, 60) == data

"""PNG encoded where the pixels are: only compressed bytes leave the device."""

from gpen_fast.png.encode import encode_png, encode_pngs

__all__ = ["encode_png", "encode_pngs"]

"""Pictures within a page: as small as a palette of colours makes them."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def data_uri(pixels: Pixels, palette: Pixels) -> str:
    """Picture as a page holds it.

    Parameters
    ----------
    pixels : ndarray, shape (height, width)
        Places in the palette; 0 is not drawn.
    palette : ndarray, shape (n, 3)
        Red, green and blue of at most 256 colours.
    """
    return f"data:image/png;base64,{base64.b64encode(_png(pixels, palette)).decode()}"


def _png(pixels: Pixels, palette: Pixels) -> bytes:
    height, width = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels], axis=1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"PLTE", palette.tobytes()) + chunk(b"tRNS", bytes(1))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IDAT", zlib.compress(lines.tobytes(), 9)) + chunk(b"IEND", b"")

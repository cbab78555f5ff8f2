"""Files as the bytes that they hold, whether compressed or not; a damaged one is told, with the place of the damage."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from isal import igzip, isal_zlib

from raphe.errors import InputError
from raphe.io.not_fetched import absent

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

GZIP, ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
"""What compressed files begin with."""

LARGEST_RATIO = {"gz": 1040, "zst": 40000}
"""Bytes that one compressed byte can stand for at most."""


class Reader(Protocol):
    """A file that is read from the front to the end."""

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Fill a buffer, as far as there is anything left."""
        ...


class Decoded:
    """The decoded bytes of a file, in their order.

    Parameters
    ----------
    path : Path
    file : file
        Gives the decoded bytes.
    kind : str
        ``"gz"``, ``"zst"`` or empty for a plain file.
    """

    def __init__(self, path: Path, file: Reader, kind: str) -> None:
        self.path, self.kind, self.place = path, kind, 0
        self._file = file
        self._damage: tuple[type[Exception], ...] = (OSError, *_errors(kind))

    def fill(self, buffer: memoryview) -> int:
        """Fill a buffer of bytes with those that come next, as far as there are any; the value is how many.

        Raises
        ------
        InputError
            If the file is damaged or ends too early; with the place among the decoded bytes.
        """
        done = 0
        while done < len(buffer):
            try:
                count = self._file.readinto(buffer[done:])
            except EOFError:
                raise InputError(
                    f"{self.path} is cut short, or goes on with what is no compressed data: these end after byte "
                    f"{self.place} of what they hold; copy or download the file again"
                ) from None
            except self._damage as error:
                raise InputError(
                    f"{self.path} is damaged: after byte {self.place} of what it holds, {_plain(error)}; copy or "
                    "download the file again"
                ) from None
            if not count:
                break
            done += count
            self.place += count
        return done

    def finish(self) -> int:
        """Read what is left, so that its checksum is compared too, and say how many bytes that were."""
        rest = memoryview(bytearray(1 << 16))
        left = 0
        while count := self.fill(rest):
            left += count
        return left


@contextmanager
def decoded(path: Path) -> Iterator[Decoded]:
    """Open a plain, ``.gz`` or ``.zst`` file to read what it holds; what it is, its first bytes tell.

    Raises
    ------
    InputError
        If it is absent, a folder, empty or cannot be opened.
    """
    try:
        with path.open("rb", buffering=0) as file:
            start = file.read(4)
            file.seek(0)
            if not start:
                raise InputError(f"{path} is empty; an image was expected")
            if start[:2] == GZIP:
                with igzip.IGzipFile(fileobj=file, mode="rb") as gzip:
                    yield Decoded(path, gzip, "gz")
            elif start == ZSTD:
                with _zstd().ZstdFile(file, "rb") as zst:
                    yield Decoded(path, zst, "zst")
            else:
                yield Decoded(path, file, "")
    except FileNotFoundError:
        raise InputError(absent(path)) from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; an image was expected") from None
    except PermissionError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from None


def check_length(path: Path, kind: str, expected: int, what: str) -> None:
    """Refuse a file that cannot hold as many bytes as its header says, before anything is made of that number.

    Parameters
    ----------
    path : Path
    kind : str
        As of :class:`Decoded`.
    expected : int
        Bytes that it should hold.
    what : str
        What the header says, for the message.

    Raises
    ------
    InputError
        With both numbers of bytes.
    """
    size = os.path.getsize(path)
    most = size * LARGEST_RATIO.get(kind, 1)
    if expected > most:
        held = f"{size} bytes" + (f", which can hold {most} at most" if kind else "")
        raise InputError(
            f"{path}: the header says {what}, which take {expected} bytes, but the file has {held}; it is cut short, "
            "or its header is wrong"
        )


def _zstd() -> Any:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    return zstd


def _errors(kind: str) -> tuple[type[Exception], ...]:
    """Kinds of error of a decoder."""
    kinds: dict[str, Any] = {"gz": isal_zlib.error, "zst": _zstd().ZstdError if kind == "zst" else None, "": None}
    return (kinds[kind],) if kinds[kind] else ()


def _plain(error: Exception) -> str:
    text = str(error)
    if "CRC" in text or "checksum" in text.lower():
        return f"the checksum is not that of the data ({text})"
    return f"the data cannot be decompressed ({text})"

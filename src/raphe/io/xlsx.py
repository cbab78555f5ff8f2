"""The first sheet of an Excel workbook (``.xlsx``, whatever its name), as text that tabs part: PMOD saves tables so."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from xml.etree import ElementTree

from raphe.errors import InputError

LARGEST = 50_000_000
"""Bytes of a part of a workbook beyond which it is no table of samples."""

_DAMAGE = (
    *(OSError, KeyError, IndexError, ValueError, RuntimeError, EOFError),
    *(zipfile.BadZipFile, zlib.error, ElementTree.ParseError),
)
_SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_LINK = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"


def is_workbook(path: Path) -> bool:
    """Whether a file is an Excel workbook by what stands in it."""
    try:
        with zipfile.ZipFile(path) as book:
            return "xl/workbook.xml" in book.namelist()
    except _DAMAGE:
        return False


def sheet_text(path: Path) -> str:
    """Cells of the first sheet, one line a row, parted by tabs; formulas as their last values.

    Raises
    ------
    InputError
        If the workbook is damaged or its first sheet too large for a table of samples.
    """
    try:
        with zipfile.ZipFile(path) as book:
            texts = _shared_texts(book)
            lines = [_line(row, texts) for row in _part(book, _first_sheet(book)).iter(f"{_SPACE}row")]
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except _DAMAGE as error:
        raise InputError(
            f"{path} is an Excel workbook that cannot be read ({error}); save it as tab-separated text"
        ) from None
    return "".join(f"{line}\n" for line in lines if line.strip())


def _first_sheet(book: zipfile.ZipFile) -> str:
    """Name of the part that holds the first sheet."""
    sheet = next(_part(book, "xl/workbook.xml").iter(f"{_SPACE}sheet"), None)
    for link in _part(book, "xl/_rels/workbook.xml.rels") if sheet is not None else ():
        if sheet is not None and link.get("Id") == sheet.get(_LINK):
            target = str(link.get("Target"))
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise InputError("it names no first sheet; save it as tab-separated text")


def _shared_texts(book: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in book.namelist():
        return []
    return [_text(one) for one in _part(book, "xl/sharedStrings.xml").iter(f"{_SPACE}si")]


def _part(book: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if book.getinfo(name).file_size > LARGEST:
        raise InputError(f"its part {name} is too large for a table of samples")
    data = book.read(name)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise InputError(f"its part {name} defines entities, which no table needs; save it as tab-separated text")
    return ElementTree.fromstring(data)


def _line(row: ElementTree.Element, texts: list[str]) -> str:
    cells: list[str] = []
    for cell in row.iter(f"{_SPACE}c"):
        column = _column(cell.get("r", ""))
        cells += [""] * ((len(cells) if column is None else column) - len(cells))
        cells.append(" ".join(_value(cell, texts).split()))
    while cells and not cells[-1]:
        cells.pop()
    return "\t".join(cells)


def _column(place: str) -> int | None:
    """Index of the column of a cell such as ``B7``."""
    letters = re.match(r"[A-Z]{1,3}", place)
    if letters is None:
        return None
    index = 0
    for letter in letters[0]:
        index = 26 * index + ord(letter) - ord("A") + 1
    return index - 1


def _value(cell: ElementTree.Element, texts: list[str]) -> str:
    kind = cell.get("t")
    if kind == "inlineStr":
        return _text(cell)
    value = cell.findtext(f"{_SPACE}v") or ""
    return texts[int(value)] if kind == "s" else value


def _text(element: ElementTree.Element) -> str:
    return "".join(part.text or "" for part in element.iter(f"{_SPACE}t"))

"""Where the keys of a TOML text stand: the line numbers that its parser does not keep."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

Key = tuple[str | int, ...]

_TOKEN = re.compile(
    r'''(?P<string>"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|'[^'\n]*')'''
    r"""|(?P<newline>\n)|(?P<blank>[ \t\r]+|\#[^\n]*)|(?P<mark>[\[\]{}=.,])|(?P<bare>[^\s\[\]{}=.,\#"']+)""",
    re.DOTALL,
)
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(["\\btnfre]))')
_ESCAPED = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def key_lines(text: str) -> dict[Key, int]:
    """Line of every table, key and array element of a TOML text.

    Parameters
    ----------
    text : str
        A text that ``tomllib`` reads without complaint; of any other the result means nothing.

    Returns
    -------
    dict of tuple to int
        Line, counted from 1, by path: ``("tracer", 0, "model")`` is the key ``model`` of the first ``[[tracer]]``,
        ``("regions", "list", 2)`` the third element of an array. Keys inside of inline tables are not listed.
    """
    return _Reader(text).read()


def line_of(lines: Mapping[Key, int], path: Key) -> int:
    """Line of ``path``, or of the nearest thing around it that has one; 1 where nothing has."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Reader:
    """Reads a text token by token, keeping the line and the table that it is in."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Key, int] = {}
        self.elements: dict[Key, int] = {}
        self.tokens = _tokens(text)
        self.kind, self.token, self.line = "newline", "\n", 1

    def read(self) -> dict[Key, int]:
        table: Key = ()
        self.advance()
        while self.kind:
            if self.token == "[" and self.kind == "mark":
                table = self.header()
            elif self.kind in ("bare", "string"):
                self.statement(table)
            else:
                self.advance()
        return self.lines

    def advance(self) -> None:
        self.kind, self.token, self.line = next(self.tokens, ("", "", self.line))

    def at(self, mark: str) -> bool:
        return self.kind == "mark" and self.token == mark

    def header(self) -> Key:
        line = self.line
        self.advance()
        several = self.at("[")
        *parents, last = self.parts("]")
        self.advance()
        path: Key = ()
        for part in parents:
            path = self.entered((*path, part))
        path = (*path, last)
        if several:
            self.elements[path] = self.elements.get(path, -1) + 1
        path = self.entered(path)
        self.note(path, line)
        return path

    def entered(self, path: Key) -> Key:
        """Give the path itself, or its last element where it is an array of tables."""
        return (*path, self.elements[path]) if path in self.elements else path

    def statement(self, table: Key) -> None:
        line = self.line
        path = (*table, *self.parts("="))
        self.note(path, line)
        self.advance()
        depth, element, fresh = 0, 0, False
        array = self.at("[")
        while self.kind and not (self.kind == "newline" and depth == 0):
            if self.kind == "mark" and self.token in "]}":
                depth -= 1
            elif array and depth == 1 and fresh and self.kind != "newline":
                self.note((*path, element), self.line)
                element, fresh = element + 1, False
            if self.kind == "mark" and self.token in "[{":
                depth += 1
                fresh = fresh or depth == 1
            elif depth == 1 and self.at(","):
                fresh = True
            self.advance()

    def parts(self, until: str) -> list[str]:
        found: list[str] = []
        while self.kind and not self.at(until):
            if self.kind == "bare":
                found.append(self.token)
            elif self.kind == "string":
                found.append(_unquoted(self.token))
            self.advance()
        return found

    def note(self, path: Key, line: int) -> None:
        for end in range(1, len(path) + 1):
            self.lines.setdefault(path[:end], line)


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line = 1
    for match in _TOKEN.finditer(text):
        kind, token = match.lastgroup or "", match.group()
        if kind != "blank":
            yield kind, token, line
        line += token.count("\n")


def _unquoted(token: str) -> str:
    if token[0] == "'":
        return token.strip("'")
    return _ESCAPE.sub(lambda m: chr(int(m[1] or m[2], 16)) if m[1] or m[2] else _ESCAPED.get(m[3], m[3]), token[1:-1])

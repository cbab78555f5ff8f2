"""The place of an error: the file, line or field that the reader of a message needs to find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from raphe.errors import RapheError


@contextmanager
def located(where: object) -> Iterator[None]:
    """Put ``where`` and a colon before the message of any error of raphe that is raised inside; its kind stays."""
    try:
        yield
    except RapheError as error:
        raise type(error)(f"{where}: {error}") from None

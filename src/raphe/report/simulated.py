"""The page of a simulated study: what was made, and what of it is an assumption."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from raphe.report.page import linked, render


class Key(NamedTuple):
    """One entry of a figure's legend."""

    name: str
    kind: str
    """Class of its colour, ``s0`` to ``s5``, or a colour as CSS has it."""
    shape: str = ""
    """``dashed``, ``dot``, ``swatch`` or ``pale``; a line if it is not given."""


class Titled(NamedTuple):
    """A drawing under its own heading."""

    title: str
    drawing: Markup
    aside: str = ""
    """Second line of the heading."""
    told: tuple[str, ...] = ()
    """What a reader must know of it, below the drawing."""


class Figure(NamedTuple):
    """Drawings with one caption."""

    panels: tuple[Titled, ...]
    caption: str
    keys: tuple[Key, ...] = ()
    wide: bool = False
    """Whether each drawing takes the whole width of the page."""
    title: str = ""
    halves: bool = False
    """Whether each drawing takes half of it."""
    rest: tuple[Titled, ...] = ()
    """Drawings that are folded away below the caption."""
    more: str = ""
    """What a reader clicks to see them."""


class Table(NamedTuple):
    """Rows of words and numbers."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    words: int = 1
    """So many of the first columns hold words; the others hold numbers, but for the last ``notes``."""
    notes: int = 0
    folded: str = ""
    """What a reader clicks to see the table; it stands open where this is empty."""


class Chapter(NamedTuple):
    """A section of the page; its parts stand in the order of the fields."""

    anchor: str
    title: str
    told: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()
    after: tuple[Table, ...] = ()


def simulated_page(
    title: str,
    description: str,
    warning: str,
    facts: Sequence[tuple[str, str]],
    chapters: Sequence[Chapter],
    *,
    references: Sequence[str],
    versions: Mapping[str, str],
    plan: str,
) -> str:
    """Write the page of a simulated study as one HTML document that needs nothing else.

    Parameters
    ----------
    title, description : str
    warning : str
        What a reader must not take the study for.
    facts : sequence of (str, str)
        At a glance.
    chapters : sequence of Chapter
    references : sequence of str
        Sources of the plan's numbers.
    versions : mapping of str to str
        Of the program, and the seed.
    plan : str
        Text of the plan.

    Returns
    -------
    str
        The same input gives the same text.
    """
    return render(
        "simulated.html.j2",
        title=title,
        description=description,
        warning=warning,
        facts=facts,
        chapters=chapters,
        references=[linked(text) for text in references],
        versions=versions,
        plan=plan,
    )

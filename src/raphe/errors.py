"""The kinds of error that raphe raises: one root, few kinds.

Every message is one paragraph that says what is wrong, where (file, field, row), the value that was found and the way
out. ``exit_code`` is what the command line returns for an error that reaches the user.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable


class RapheError(Exception):
    """Anything that raphe refuses to do, with the reason in words."""

    exit_code = 2


class InputError(RapheError):
    """A file, table, sidecar or option that cannot be used as it is."""


class TimingError(InputError):
    """Frames that overlap, run backwards, have no length or contradict what is known of the scan."""


class UnitError(InputError):
    """A unit that is missing, unknown or impossible for the quantity."""


class PlanError(InputError):
    """A study plan that contradicts itself, the data or what raphe can do."""


class ModelError(InputError):
    """A model that is unknown, or that lacks an input which it needs."""


class OutputError(RapheError):
    """A place that cannot be written to."""


class UnexpectedError(RapheError):
    """What nobody foresaw: a fault of raphe, or a file that the system does not give."""


def unexpected(error: Exception) -> UnexpectedError:
    """Error with the words that a user needs about one that is none of raphe's own."""
    if isinstance(error, OSError):
        what = f"{error.filename} cannot be used: {error.strerror or error}; mend it, or name another place"
    else:
        what = (
            f"this is a fault of raphe and not of yours: {type(error).__name__}: {error}. Run it again with --debug "
            "and report what it prints"
        )
    return UnexpectedError(what)


def nearest(name: str, known: Iterable[str], most: int = 12) -> str:
    """Hint at the way out of a name that is not known: the names nearest to it, or else those that there are.

    Parameters
    ----------
    name : str
        What was found; compared without regard to case.
    known : iterable of str
        Names that would do.
    most : int
        How many to list where none is near.

    Returns
    -------
    str
        ``did you mean 'a' or 'b'?``, or ``there are a, b, c and 4 more``.
    """
    names = list(dict.fromkeys(known))
    near = likely(name, names)
    if not near:
        return _there(names, most)
    if near[0] != name and without_zeros(near[0]) == without_zeros(name):
        return f"did you mean {near[0]!r}? The zeros are part of the name; {_there(names, most)}"
    return f"did you mean {' or '.join(map(repr, near))}?"


def likely(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Names that may be meant by one that is not known, three at most, the likeliest first; arguments as above."""
    names = list(dict.fromkeys(known))
    zeros = next((other for other in names if other != name and without_zeros(other) == without_zeros(name)), None)
    if zeros is not None:
        return (zeros,)
    by_lower = {other.lower(): other for other in names}
    begun = [other for other in by_lower if len(name) > 1 and other.startswith(name.lower())]
    near = dict.fromkeys((*difflib.get_close_matches(name.lower(), by_lower, n=3), *begun))
    return tuple(by_lower[word] for word in near)[:3]


def without_zeros(name: str) -> str:
    """Give what names have in common that differ in the zeros before a number alone, as ``sub-1`` and ``sub-01``."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", name)


def _there(names: list[str], most: int) -> str:
    if not names:
        return "there are none"
    if len(names) == 1:
        return f"there is only {names[0]}"
    return f"there are {', '.join(names[:most])}" + (f" and {len(names) - most} more" if len(names) > most else "")

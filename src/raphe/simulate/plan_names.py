"""A name that a plan uses must be one that there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from raphe.errors import PlanError, nearest


def check_known(where: str, name: str, known: Sequence[str]) -> None:
    """Refuse a name that is not among those ``known``.

    Raises
    ------
    PlanError
        With the place, the name and those nearest to it.
    """
    if name not in known:
        raise PlanError(f"{where} = {name!r}: the plan or the catalog has nothing of that name; {nearest(name, known)}")


def check_all_known(where: str, names: Iterable[str], known: Sequence[str]) -> None:
    """Refuse the first of several names that is not among those ``known``.

    Raises
    ------
    PlanError
    """
    for name in names:
        check_known(where, name, known)

"""Design matrices, built from columns; no formula is ever read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError, nearest
from raphe.stats.coding import Term, check_rank, coded_matrix
from raphe.stats.columns import Column, CompleteCases, Covariate, Factor, complete_cases, length_of

__all__ = ["Column", "CompleteCases", "Covariate", "Design", "Factor", "Term", "complete_cases", "design_of"]

Array = npt.NDArray[np.float64]

NO_LEVELS: Mapping[str, str] = MappingProxyType({})
NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Design:
    """A linear model's matrix, and the way from levels to combinations of its coefficients.

    Made by :func:`design_of`. Factors have treatment coding (a column a level but the first), interactions are
    products. A grid for least-squares means gives the levels of all other factors equal weights and holds covariates at
    their means over the rows (Searle, Speed and Milliken 1980, Am Stat 34:216).

    Parameters
    ----------
    columns : tuple of Factor and Covariate
        Those that the terms name.
    terms : tuple of tuple of str
        Names of the columns of each term; ``()`` for the intercept.
    offsets : mapping of str to float
        What is subtracted from each covariate that was centred.
    matrix : ndarray, shape (n, p)
    names : tuple of str, length p
        ``(intercept)``, ``arm[ketamine]``, ``tracer[DASB]:drug[ketamine]``.
    """

    columns: tuple[Column, ...]
    terms: tuple[Term, ...]
    offsets: Mapping[str, float]
    matrix: Array
    names: tuple[str, ...]

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """Factors among the columns."""
        return tuple(column for column in self.columns if isinstance(column, Factor))

    @cached_property
    def covariates(self) -> tuple[Covariate, ...]:
        """Covariates among the columns."""
        return tuple(column for column in self.columns if isinstance(column, Covariate))

    @cached_property
    def means(self) -> Mapping[str, float]:
        """Mean of each covariate over the rows, in its own unit."""
        return {column.name: float(column.values.mean()) for column in self.covariates}

    def row(self, levels: Mapping[str, str], covariates: Mapping[str, float] = NONE) -> Array:
        """Row of the matrix, shape (p,), of one cell.

        Parameters
        ----------
        levels : mapping of str to str
            A level of every factor.
        covariates : mapping of str to float
            Values in the covariate's own unit, centred or not; its mean where not given.

        Raises
        ------
        InputError
            For a factor without a level, or a name or level that is not known.
        """
        self._check(levels, covariates)
        for factor in self.factors:
            if factor.name not in levels:
                raise InputError(f"a cell needs a level of factor {factor.name!r}: {', '.join(factor.levels)}")
        values = {**self.means, **covariates}
        columns: list[Column] = []
        for column in self.columns:
            if isinstance(column, Factor):
                columns.append(_one_row(column, levels[column.name]))
            else:
                columns.append(Covariate(column.name, np.array([values[column.name]])))
        return np.asarray(coded_matrix(columns, self.terms, self.offsets, 1)[0][0])

    def ls_mean(self, levels: Mapping[str, str] = NO_LEVELS, covariates: Mapping[str, float] = NONE) -> Array:
        """Combination of coefficients, shape (p,), that is the least-squares mean of the levels named.

        Parameters
        ----------
        levels : mapping of str to str
            Levels that are held; the other factors are averaged with equal weights.
        covariates : mapping of str to float
            As in :meth:`row`.

        Raises
        ------
        InputError
            For a name or level that is not known.
        """
        self._check(levels, covariates)
        others = [factor for factor in self.factors if factor.name not in levels]
        names = [factor.name for factor in others]
        grid = product(*(factor.levels for factor in others))
        rows = [self.row({**levels, **dict(zip(names, cell, strict=True))}, covariates) for cell in grid]
        return np.asarray(np.mean(rows, axis=0))

    def difference(
        self, of: Mapping[str, str], less: Mapping[str, str], covariates: Mapping[str, float] = NONE
    ) -> Array:
        """Combination of coefficients, shape (p,): one least-squares mean minus another; raises as :meth:`ls_mean`."""
        return self.ls_mean(of, covariates) - self.ls_mean(less, covariates)

    def contrast(
        self,
        factors: Sequence[str],
        weights: Mapping[tuple[str, ...], float],
        covariates: Mapping[str, float] = NONE,
    ) -> Array:
        """Weighted sum of least-squares means of cells, as a combination of coefficients, shape (p,).

        Parameters
        ----------
        factors : sequence of str
            Factors that make the cells.
        weights : mapping of tuple of str to float
            A level of each of these factors, in their order, to the cell's weight.
        covariates : mapping of str to float
            As in :meth:`row`.

        Raises
        ------
        InputError
            As :meth:`ls_mean`; for a cell with too many or few levels; and if no weight differs from 0.
        """
        total = np.zeros(self.matrix.shape[1])
        for cell, weight in weights.items():
            if len(cell) != len(factors):
                raise InputError(
                    f"cell {cell} of a contrast has {len(cell)} levels for the {len(factors)} factors "
                    f"{', '.join(factors)}; name one level of each"
                )
            if not math.isfinite(weight):
                raise InputError(f"cell {cell} of a contrast has the weight {weight}; give a number")
            total += weight * self.ls_mean(dict(zip(factors, cell, strict=True)), covariates)
        if not any(weights.values()):
            raise InputError("a contrast has no weight but 0; weigh two cells or more")
        return total

    def hypothesis(self, term: Term) -> Array:
        """Rows, shape (q, p), all of which are 0 if a term has no effect (type III).

        Factors enter by differences of least-squares means from the first level, covariates by their slope; other
        factors have equal weights, other covariates are at their means.

        Raises
        ------
        InputError
            If the design does not have the term, or it is the intercept.
        """
        if not term or term not in self.terms:
            raise InputError(f"the design has no term {':'.join(term) or '()'} to test; there are {_terms(self.terms)}")
        factors = [column for column in self.factors if column.name in term]
        slopes = [column.name for column in self.covariates if column.name in term]
        rows = []
        for cell in product(*(factor.levels[1:] for factor in factors)):
            total = np.zeros(self.matrix.shape[1])
            sides = [(factor.levels[0], level) for factor, level in zip(factors, cell, strict=True)]
            for up in product((0, 1), repeat=len(factors) + len(slopes)):
                levels = {f.name: side[i] for f, side, i in zip(factors, sides, up, strict=False)}
                steps = dict(zip(slopes, up[len(factors) :], strict=True))
                sign = (-1) ** (len(up) - sum(up))
                total += sign * self.ls_mean(levels, {name: self.means[name] + step for name, step in steps.items()})
            rows.append(total)
        return np.array(rows)

    def _check(self, levels: Mapping[str, str], covariates: Mapping[str, float]) -> None:
        known = {factor.name: factor.levels for factor in self.factors}
        for name, level in levels.items():
            if name not in known:
                raise InputError(f"the design has no factor {name!r}; {nearest(name, known)}")
            if level not in known[name]:
                raise InputError(f"factor {name!r} has no level {level!r}; {nearest(level, known[name])}")
        for name in covariates:
            if name not in self.means:
                raise InputError(f"the design has no covariate {name!r}; {nearest(name, self.means)}")


def design_of(
    columns: Sequence[Column],
    terms: Sequence[Sequence[str]],
    *,
    intercept: bool = True,
    centre: Sequence[str] = (),
) -> Design:
    """Build a design from columns.

    Parameters
    ----------
    columns : sequence of Factor and Covariate
        All of one length and without a missing value; those that no term names are left out.
    terms : sequence of sequence of str
        Names of columns: one for a main effect, several for an interaction, of which all lower terms must stand too.
    intercept : bool
        Whether the term ``()`` comes first. Without it, the first factor that is a term by itself has a column for
        every level.
    centre : sequence of str
        Covariates whose mean is subtracted.

    Raises
    ------
    InputError
        If a name is not known, a term stands twice or lacks a lower one, a value is missing, there are more parameters
        than rows, or terms are confounded; the message names them, and the empty cell where there is one.
    """
    by_name = _by_name(columns)
    wanted = _checked_terms(terms, by_name)
    for name in centre:
        if not isinstance(by_name.get(name), Covariate):
            raise InputError(f"{name!r} cannot be centred, for it is no covariate")
    used = tuple(column for column in columns if any(column.name in term for term in wanted))
    n = length_of(used or tuple(columns))
    gaps = complete_cases(used).missing if used else ()
    if gaps:
        row, name = gaps[0]
        raise InputError(
            f"column {name!r} has no value in row {row + 1}, and {len(gaps)} values are missing in all; choose rows by "
            "complete_cases and say how many are left out"
        )
    wanted = ((), *wanted) if intercept else wanted
    if not wanted:
        raise InputError("a design without intercept needs a term; name one")
    offsets = {c.name: float(c.values.mean()) for c in used if isinstance(c, Covariate) and c.name in centre}
    matrix, names = coded_matrix(used, wanted, offsets, n)
    if matrix.shape[1] > n:
        raise InputError(
            f"the design has {matrix.shape[1]} parameters, but there are {n} rows; leave out terms or bring more rows"
        )
    check_rank(matrix, names, wanted, used)
    matrix.setflags(write=False)
    return Design(used, wanted, offsets, matrix, names)


def _by_name(columns: Sequence[Column]) -> dict[str, Column]:
    by_name: dict[str, Column] = {}
    for column in columns:
        if column.name in by_name:
            raise InputError(f"two columns have the name {column.name!r}; name them apart")
        by_name[column.name] = column
    return by_name


def _checked_terms(terms: Sequence[Sequence[str]], columns: Mapping[str, Column]) -> tuple[Term, ...]:
    if any(isinstance(term, str) for term in terms):
        raise InputError(f"a term is a tuple of names of columns, but there is a bare text in {list(terms)}")
    wanted = tuple(tuple(term) for term in terms if len(term))
    seen = [frozenset(term) for term in wanted]
    for term, names in zip(wanted, seen, strict=True):
        for name in term:
            if name not in columns:
                raise InputError(f"term {':'.join(term)} names the column {name!r}; {nearest(name, columns)}")
        if len(names) < len(term) or seen.count(names) > 1:
            raise InputError(f"term {':'.join(term)} names a column twice or stands twice; name each one once")
        for name in term:
            lower = names - {name}
            if lower and lower not in seen:
                raise InputError(
                    f"term {':'.join(term)} stands without {':'.join(sorted(lower))}; an interaction needs all terms "
                    "below it"
                )
    return wanted


def _one_row(factor: Factor, level: str) -> Factor:
    """A column of one row: the same factor, its levels unchecked."""
    row = object.__new__(Factor)
    for field, value in (("name", factor.name), ("values", (level,)), ("levels", factor.levels)):
        object.__setattr__(row, field, value)
    return row


def _terms(terms: Sequence[Term]) -> str:
    return ", ".join(":".join(term) for term in terms if term) or "none"

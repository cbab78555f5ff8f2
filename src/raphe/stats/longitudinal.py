"""Mixed models of repeated measures: who was measured when, and how the measurements of one subject go together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from raphe.core.mixed_freedom import KenwardRoger, Satterthwaite
from raphe.core.mixed_model import MixedFit, fit_mixed_model
from raphe.core.mixed_structures import STRUCTURES
from raphe.errors import InputError, nearest
from raphe.stats.columns import Factor
from raphe.stats.design import Design
from raphe.stats.model import FittedModel, ResidualFreedom, Tests
from raphe.stats.model_input import check_between, check_cells, check_twice, checked_codes, checked_outcome

Array = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

FREEDOM: dict[str, Callable[[MixedFit, float], Tests]] = {
    "kenward-roger": lambda fit, _: KenwardRoger(fit),
    "satterthwaite": lambda fit, _: Satterthwaite(fit),
    "residual": lambda fit, df: ResidualFreedom(Satterthwaite(fit), df),
}
"""Ways to find degrees of freedom, by name."""

SHARED = ("cs", "csh", "unstructured")
"""Structures that hold what an intercept of the subject would add."""


def fit_mixed(
    outcome: npt.ArrayLike,
    design: Design,
    subject: Sequence[str],
    *,
    visit: Factor | None = None,
    covariance: str = "",
    by: Factor | None = None,
    random: Mapping[str, Sequence[str]] | None = None,
    between: Sequence[str] = (),
    se: npt.ArrayLike | None = None,
    errors: str = "added",
    df: str = "kenward-roger",
    reml: bool = True,
) -> FittedModel:
    """Fit a mixed model to repeated measures; visits may be missing (at random, given what is in the model).

    With ``visit``, the residuals of a subject have a covariance matrix of visits (MMRM; Mallinckrodt et al. 2001, J
    Biopharm Stat 11:9). Without, rows of a subject share a random intercept.

    Parameters
    ----------
    outcome : array_like, shape (n,)
    design : Design
    subject : sequence of str, length n
    visit : Factor, optional
        When each row was measured; levels in order of time.
    covariance : str
        ``"unstructured"``, ``"ar1"``, ``"cs"``, their kin with a variance for each visit ``"ar1h"`` and ``"csh"``, or
        ``"independent"``; unstructured with visits and independent without, if empty.
    by : Factor, optional
        Each of its levels has a covariance of its own; alike within a subject.
    random : mapping of str to sequence of str, length n, optional
        Name and levels of each random intercept. Not given: one of the subject, called ``subject``, where the residuals
        are independent, and none elsewhere.
    between : sequence of str
        Factors of the design that a subject has one level of, such as the arm.
    se : array_like, shape (n,), optional
        Standard error of each value.
    errors : str
        ``"added"``: se squared is a known variance on top of the model's. ``"weights"``: the residual's standard
        deviation is proportional to se.
    df : str
        ``"kenward-roger"``, ``"satterthwaite"`` or ``"residual"`` (n - p).
    reml : bool
        Restricted likelihood; else full, and then not with Kenward-Roger.

    Returns
    -------
    FittedModel
        A variance at 0, or a search that did not end, is told in ``why``.

    Raises
    ------
    InputError
        If the outcome is not finite or constant, a subject has a visit twice or two levels of a factor between
        subjects, one subject is left in a cell, there are as many parameters as rows, or the data do not support the
        covariance.
    """
    values = checked_outcome(outcome, design)
    people = tuple(subject)
    codes = checked_codes(people, values.size, "subjects")
    covariance = covariance or ("unstructured" if visit else "independent")
    _check_choices(covariance, visit, df, errors, reml)
    check_twice(people, visit, design, values)
    check_between(people, [*design.factors, *([by] if by else [])], [*between, *([by.name] if by else [])])
    check_cells(people, design)
    random = _random(random, people, covariance)
    intercepts = [checked_codes(labels, values.size, name) for name, labels in random.items()]
    for name, levels in zip(random, intercepts, strict=True):
        _check_intercept(name, levels, codes, covariance)
    places = visit.codes if visit and covariance != "independent" else None
    group = by.codes if by else np.zeros(values.size, dtype=np.intp)
    if visit and places is not None:
        _check_visits(visit, group, by, codes, design, covariance)
    known, scale = _errors(se, errors, values.size)
    fit = fit_mixed_model(
        np.asarray(design.matrix),
        values,
        codes,
        visit=places,
        structure=covariance,
        group=group,
        random=intercepts,
        known=known,
        scale=scale,
        reml=reml,
    )
    return FittedModel(
        design=design,
        beta=fit.beta,
        tests=FREEDOM[df](fit, float(values.size - design.matrix.shape[1])),
        method=f"{'REML' if reml else 'maximum likelihood'}, {covariance} covariance, {df} degrees of freedom",
        n=values.size,
        n_subject=int(codes.max()) + 1,
        log_likelihood=fit.log_likelihood,
        covariance=_named(fit, covariance, tuple(random), visit, by),
        converged=fit.converged,
        why=_why(fit, tuple(random), known is not None, df),
    )


def _check_choices(covariance: str, visit: Factor | None, df: str, errors: str, reml: bool) -> None:
    if covariance not in STRUCTURES:
        raise InputError(f"there is no covariance {covariance!r}; {nearest(covariance, STRUCTURES)}")
    if covariance != "independent" and visit is None:
        raise InputError(f"the covariance {covariance!r} is one of visits, but no visit was given; give it")
    if visit is not None and (visit.codes < 0).any():
        raise InputError(f"row {int((visit.codes < 0).argmax()) + 1} has no {visit.name}; leave it out, and say so")
    if df not in FREEDOM:
        raise InputError(f"degrees of freedom cannot be found by {df!r}; {nearest(df, FREEDOM)}")
    if df == "kenward-roger" and not reml:
        raise InputError("Kenward-Roger needs the restricted likelihood; use reml, or satterthwaite")
    if errors not in ("added", "weights"):
        raise InputError(f"standard errors cannot enter as {errors!r}; use added or weights")


def _random(
    random: Mapping[str, Sequence[str]] | None, people: tuple[str, ...], covariance: str
) -> Mapping[str, Sequence[str]]:
    if random is not None:
        return random
    return {"subject": people} if covariance == "independent" else {}


def _check_intercept(name: str, levels: Codes, subject: Codes, covariance: str) -> None:
    n_level = int(levels.max()) + 1
    if n_level < 2 or n_level == levels.size:
        raise InputError(
            f"the random intercept {name!r} has {n_level} levels in {levels.size} rows, so its variance cannot be told "
            "from the rest; leave it out"
        )
    pairs = len({*zip(levels.tolist(), subject.tolist(), strict=True)})
    if covariance in SHARED and pairs == n_level == int(subject.max()) + 1:
        raise InputError(
            f"the random intercept {name!r} and the covariance {covariance!r} describe the same thing; leave one out"
        )


def _check_visits(
    visit: Factor, group: Codes, by: Factor | None, subject: Codes, design: Design, covariance: str
) -> None:
    for i in range(int(group.max()) + 1):
        here = group == i
        seen = np.zeros((int(subject.max()) + 1, len(visit.levels)), dtype=bool)
        seen[subject[here], visit.codes[here]] = True
        n_subject = int(seen.any(axis=1).sum())
        among = f" of {by.name} {by.levels[i]}" if by else ""
        together = seen.astype(int).T @ seen.astype(int)
        if covariance in ("unstructured", "csh", "ar1h") and (np.diag(together) < 2).any():
            level = visit.levels[int((np.diag(together) < 2).argmax())]
            raise InputError(
                f"{visit.name} {level}{among} has fewer than two subjects, so it has no variance of its own; leave the "
                "visit out or choose ar1 or cs"
            )
        if covariance != "unstructured":
            continue
        if (together == 0).any():
            one, other = (visit.levels[int(place[0])] for place in np.nonzero(together == 0))
            raise InputError(
                f"no subject{among} has both {visit.name} {one} and {other}, so their covariance cannot be known; "
                "choose ar1 or cs"
            )
        ranks = [int(np.linalg.matrix_rank(design.matrix[here & (visit.codes == t)])) for t in range(seen.shape[1])]
        if n_subject - max(ranks) < len(visit.levels):
            raise InputError(
                f"an unstructured covariance of {len(visit.levels)} visits has more parameters than {n_subject} "
                f"subjects{among} with {max(ranks)} parameters a visit support; choose ar1 or cs"
            )


def _errors(se: npt.ArrayLike | None, errors: str, n: int) -> tuple[Array | None, Array | None]:
    if se is None:
        return None, None
    values = np.asarray(se, dtype=float)
    if values.shape != (n,):
        raise InputError(f"there are {values.size} standard errors for {n} rows; bring them to one length")
    right = np.isfinite(values) & ((values > 0) if errors == "weights" else (values >= 0))
    if not right.all():
        row = int((~right).argmax())
        raise InputError(f"the standard error of row {row + 1} is {values[row]}; leave the row out, or do without se")
    if errors == "added":
        return values**2, None
    return None, values / np.sqrt(np.mean(values**2))


def _named(
    fit: MixedFit, covariance: str, random: tuple[str, ...], visit: Factor | None, by: Factor | None
) -> dict[str, float]:
    found = {f"variance[{name}]": float(value) for name, value in zip(random, fit.random, strict=True)}
    for i, matrix in enumerate(fit.visits):
        of = f" {by.name} {by.levels[i]}" if by else ""
        if covariance == "independent" or visit is None:
            found[f"residual variance{of}"] = float(matrix[0, 0])
            continue
        if covariance in ("cs", "ar1"):
            found[f"variance{of}"] = float(matrix[0, 0])
        else:
            found |= {
                f"variance[{level}]{of}": float(v) for level, v in zip(visit.levels, np.diag(matrix), strict=True)
            }
        if covariance != "unstructured":
            found[f"correlation{of}"] = float(matrix[0, 1] / np.sqrt(matrix[0, 0] * matrix[1, 1]))
            continue
        for row, column in zip(*np.tril_indices(len(matrix), -1), strict=True):
            found[f"covariance[{visit.levels[column]},{visit.levels[row]}]{of}"] = float(matrix[row, column])
    return found


def _why(fit: MixedFit, random: tuple[str, ...], known: bool, df: str) -> tuple[str, ...]:
    why = [
        f"the variance of {name} is 0, the least it can be"
        for name, zero in zip(random, fit.zero, strict=False)
        if zero
    ]
    if known and fit.zero[len(random) :].any():
        more = "; with Satterthwaite the variance then counts as known" if df == "satterthwaite" else ""
        why.append(f"the residual variance beyond the known errors is 0, the least it can be{more}")
    if not fit.converged:
        why.append(
            f"the search for the covariance did not end at a maximum of the likelihood ({fit.steps} steps); nothing is "
            "tested: choose a simpler covariance"
        )
    return tuple(why)

"""Tables of a contrast: its answer by region, and the people's values that it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from raphe.data.results import Contrast, ContrastRow, Equivalent
from raphe.io.described import NOT_AVAILABLE, Column, write_described
from raphe.io.results import REMARK, excluded_json, software
from raphe.nomenclature import SYMBOLS

COUNTED = "Values that were left out; the sidecar's Excluded says which and why"


NAN = float("nan")

_T = "Bayes factor of an effect over none: Student's t, Cauchy prior of scale 0.707 (Rouder 2009); none with covariates"
_BAYES = {
    **dict.fromkeys(("paired", "groups", "interaction"), _T),
    "correlation": "Bayes factor of a correlation over none, uniform prior (Ly 2016); of Pearson's without covariates",
}


def write_contrast(path: Path, contrast: Contrast) -> None:
    """Write the answer of a contrast in every region.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    unit = unit_of(contrast)
    how = "over the regions of the contrast" + (", of each session by itself" if _sessions(contrast) else "")
    columns = (
        Column("contrast", "Name of the contrast in the study plan"),
        Column("region", "Region"),
        Column("estimate", _what(contrast), unit),
        Column("se", "Standard error of the estimate", unit),
        Column("df", "Degrees of freedom"),
        Column("ci_low", "Lower end of the 95 % confidence interval of the estimate", unit),
        Column("ci_high", "Upper end of the 95 % confidence interval of the estimate", unit),
        Column("p", f"Two-sided p value of an estimate of 0: {contrast.method}"),
        Column("p_adjusted", f"The same, adjusted {how} ({contrast.adjust})"),
        Column("n", "Participants whose values enter"),
        Column("excluded", COUNTED),
        Column("percent", _percent(contrast), "%"),
        REMARK,
        Column("kind", "Kind of the contrast"),
        Column("status", "primary, secondary or exploratory, by the study plan; planned where it names no primary one"),
        Column(
            "session", "Session that the row is of, where a contrast has rows of several; the last is that asked for"
        ),
        Column("n_by_arm", "Participants of each arm, where arms are compared"),
        Column("standardised", contrast.standardised or "Not given for this kind"),
        Column("standardised_low", "Lower end of its 95 % confidence interval"),
        Column("standardised_high", "Upper end of its 95 % confidence interval"),
        Column("p_smallest", "Smallest p that a permutation test of so few participants can give"),
        Column("note", "What a reader must know"),
        Column("margin", "Largest effect that does not matter, by the study plan, to either side of 0", unit),
        Column("ci90_low", "Lower end of the 90 % confidence interval, by which equivalence is judged", unit),
        Column("ci90_high", "Upper end of the 90 % confidence interval", unit),
        Column("p_equivalence", "p value of two one-sided tests that the effect lies beyond the margin"),
        Column("bf10", _BAYES.get(contrast.kind, "Not given for this kind")),
        *_besides(contrast, unit),
    )
    metadata = {
        "Description": _what(contrast),
        "Kind": contrast.kind,
        "Method": contrast.method,
        "Notes": list(contrast.notes),
        "Tracer": [name for name, _ in contrast.sources] or contrast.tracer,
        "ModelName": [model for _, model in contrast.sources] or contrast.model,
        "Parameter": contrast.parameter,
        "Scale": contrast.scale,
        "Terms": [contrast.first, contrast.second],
        "Arms": list(contrast.groups),
        "Adjust": contrast.adjust,
        "Primary": contrast.primary,
        "Status": contrast.status,
        **contrast.extras,
        "Excluded": excluded_json([row.pairs.excluded for row in contrast.rows if not row.secondary]),
        **software(),
    }
    write_described(path, columns, [_row(contrast, row) for row in contrast.rows], metadata)


def write_contrast_values(path: Path, contrast: Contrast) -> None:
    """Write two numbers of each person in every region, and what the person adds to the estimate.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    lines = contrast.kind == "occupancy" and contrast.parameter == "V_T"
    over = ", mean over the regions of the participant's line" if lines else ""
    columns = (
        Column("contrast", "Name of the contrast in the study plan"),
        Column("region", "Region"),
        Column("session", "Session that the row is of, where a contrast has rows of several"),
        Column("participant", "Label of the person or animal, without sub-"),
        Column("arm", "Arm of the participant, where arms are compared"),
        Column("first", f"Of {contrast.first}{over}"),
        Column("second", f"Of {contrast.second}{over}"),
        Column("value", "What the participant adds: the change (on the contrast's scale), value or occupancy"),
        Column("se", "Standard error by which the participant is weighted; n/a where the plan asks for no weights"),
    )
    about = {"Description": f"Values of participants behind: {contrast.what}", "Kind": contrast.kind, **software()}
    write_described(path, columns, _values(contrast), about)


def unit_of(contrast: Contrast) -> str:
    """Unit of a contrast's estimates; empty for none."""
    return SYMBOLS[contrast.parameter].unit if contrast.unit is None else contrast.unit


def _what(contrast: Contrast) -> str:
    what = contrast.what or f"mean of {contrast.parameter}, {contrast.second} minus {contrast.first}"
    return what[:1].upper() + what[1:]


def _sessions(contrast: Contrast) -> bool:
    return any(row.term for row in contrast.rows)


def _percent(contrast: Contrast) -> str:
    of_means = "The estimate in per cent of the mean of"
    return {
        "paired": "Mean of the participants' changes in per cent of their first value",
        "groups": "Difference of the arms in per cent of the first arm's mean, or of their mean changes in per cent",
        "ancova": f"{of_means} all baselines",
        "interaction": "Difference of the changes in per cent",
        "mixed": f"{of_means} the first session",
        "occupancy": "The occupancy",
        "displacement": "The estimate",
    }.get(contrast.kind, "Not given for this kind")


def _row(contrast: Contrast, row: ContrastRow) -> list[object]:
    numbers = (row.estimate, row.se, row.df, row.ci_low, row.ci_high, row.p, row.p_adjusted)
    counts = len(row.pairs), len(row.pairs.excluded)
    by_arm = ", ".join(f"{arm} {n}" for arm, n in row.counts.items())
    standardised = (row.standardised.value, row.standardised.low, row.standardised.high)
    return [
        contrast.name,
        row.pairs.region,
        *map(float, numbers),
        *counts,
        float(row.percent),
        row.why or NOT_AVAILABLE,
        contrast.kind,
        contrast.status or NOT_AVAILABLE,
        row.term or NOT_AVAILABLE,
        by_arm or NOT_AVAILABLE,
        *map(float, standardised),
        float(row.p_smallest),
        "; ".join(contrast.notes) or NOT_AVAILABLE,
        *_equivalent(row.equivalent),
        float(row.bayes_factor),
        *_told_besides(contrast, row),
    ]


def _besides(contrast: Contrast, unit: str) -> tuple[Column, ...]:
    """Columns of what a plan may ask for besides."""
    none = "the plan does not ask for it"
    weights, resampled, prior = (contrast.extras.get(name, none) for name in ("Weights", "Bootstrap", "Prior"))
    of_arms = " (root mean square of both arms, where each has its own)" if contrast.groups else ""
    return (
        Column("tau", f"Standard deviation between people without the errors of estimates{of_arms}: {weights}", unit),
        Column("tau_by_arm", "The same of each arm, where each has its own", unit),
        Column("error_share", "Part of the variance that the errors of estimates make up, 0 to 1"),
        Column("boot_low", f"Lower end of the 95 % bootstrap interval of the estimate: {resampled}", unit),
        Column("boot_high", "Upper end of the 95 % bootstrap interval", unit),
        Column("boot_se", "Standard deviation of the resampled estimates", unit),
        Column("posterior_mean", f"Posterior mean of the effect; prior: {prior}", unit),
        Column("posterior_low", "Lower end of the 95 % credible interval", unit),
        Column("posterior_high", "Upper end of the 95 % credible interval", unit),
        Column("p_above_zero", "Posterior probability of an effect above 0"),
    )


def _told_besides(contrast: Contrast, row: ContrastRow) -> tuple[object, ...]:
    weighting, resampled, held = row.weighting, row.resampled, row.held
    several = weighting is not None and len(weighting.tau) > 1
    by_arm = zip(contrast.groups, weighting.tau, strict=True) if weighting is not None and several else ()
    return (
        weighting.pooled if weighting else NAN,
        ", ".join(f"{arm} {tau:.9g}" for arm, tau in by_arm) or NOT_AVAILABLE,
        weighting.error_share if weighting else NAN,
        *((resampled.low, resampled.high, resampled.se) if resampled else (NAN, NAN, NAN)),
        *((held.mean, held.low, held.high, held.above_zero) if held else (NAN, NAN, NAN, NAN)),
    )


def _equivalent(found: Equivalent | None) -> tuple[float, float, float, float]:
    if found is None:
        return NAN, NAN, NAN, NAN
    return found.margin, found.low, found.high, found.p


def _values(contrast: Contrast) -> Iterator[list[object]]:
    for row in contrast.rows:
        for at, person in enumerate(row.pairs.participants):
            yield [
                contrast.name,
                row.pairs.region,
                row.term or NOT_AVAILABLE,
                person,
                row.groups[at] if row.groups else NOT_AVAILABLE,
                float(row.pairs.first[at]),
                float(row.pairs.second[at]),
                float(row.individual[at]) if row.individual.size else NAN,
                float(row.individual_se[at]) if row.individual_se.size else NAN,
            ]

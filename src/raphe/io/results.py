"""Tables of a study: estimates of all scans, and the agreement of repeated scans."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from raphe.data.estimates import Estimate, Estimates
from raphe.data.results import Agreement, Excluded, Interval
from raphe.errors import InputError
from raphe.io.described import NOT_AVAILABLE, Column, write_described
from raphe.io.provenance import SOFTWARE, software_version
from raphe.io.tables import doubled, read_table
from raphe.nomenclature import SYMBOLS
from raphe.quality import MEANING, WORD, from_words, words

_ESTIMATE_COLUMNS = (
    Column("participant", "Label of the person or animal, without sub-"),
    Column("session", "Label of the session, without ses-"),
    Column("tracer", "Name of the tracer"),
    Column("condition", "Condition of the session in the study plan"),
    Column("arm", "Arm of the participant"),
    Column("region", "Region"),
    Column("model", "Kinetic model"),
    Column("parameter", "Symbol of the parameter"),
    Column("value", "Estimate, in the parameter's unit"),
    Column("se", "Standard error, in the parameter's unit"),
    Column("quality", "Flags of the fit, joined by commas; empty for a fit without remark"),
)

REMARK = Column("remark", "What could not be computed, and why")


def write_estimates(path: Path, estimates: Estimates) -> None:
    """Write every estimate of a study, flagged ones included; empty text stands as ``n/a``.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    rows = [
        [*(part or NOT_AVAILABLE for part in row[:8]), row.value, row.se, words(row.quality)] for row in estimates.rows
    ]
    units = {name: SYMBOLS[name].unit for name in estimates.distinct("parameter")}
    metadata = {
        "Description": "Kinetic parameters of every region of every scan",
        "ParameterUnits": units,
        "QualityFlags": {word: MEANING[flag] for flag, word in WORD.items()},
        **software(),
    }
    write_described(path, _ESTIMATE_COLUMNS, rows, metadata)


def read_estimates(path: Path) -> Estimates:
    """Read a table of estimates with the columns that :func:`write_estimates` writes, in any order.

    ``sub-`` and ``ses-`` may stand before labels.

    Raises
    ------
    InputError
        If a column is missing, a cell holds what it cannot, or a value has two rows; the message names the lines.
    """
    table = read_table(path)
    text = [table.cells(column.name) for column in _ESTIMATE_COLUMNS[:8]]
    value, se = table.floats("value"), table.floats("se")
    rows, seen = [], dict[tuple[str, ...], int]()
    for at, (line, flags) in enumerate(zip(table.lines, table.cells("quality"), strict=True)):
        fields = ["" if cells[at] == NOT_AVAILABLE else cells[at] for cells in text]
        try:
            quality = from_words("" if flags == NOT_AVAILABLE else flags)
        except KeyError as error:
            raise InputError(f"{path}: column 'quality', line {line}: {error} is no flag that raphe knows") from None
        if fields[7] not in SYMBOLS:
            raise InputError(f"{path}: column 'parameter', line {line}: {fields[7]!r} is no symbol that raphe knows")
        if se[at] < 0:
            raise InputError(f"{path}: column 'se', line {line}: a standard error of {se[at]:g} cannot be")
        who, session, tracer, condition, arm, region, model, parameter = fields
        who, session = who.removeprefix("sub-"), session.removeprefix("ses-")
        first = seen.setdefault((who, session, tracer, region, model, parameter), line)
        if first != line:
            raise InputError(
                f"{path}: line {line}: {parameter} by {model} of {tracer} of participant {who!r}, session {session!r}, "
                f"region {region!r}, stands in line {first} already; {doubled(table, first, line)}, or tell scans or "
                "fits apart by session, tracer or model"
            )
        numbers = float(value[at]), float(se[at])
        rows.append(Estimate(who, session, tracer, condition, arm, region, model, parameter, *numbers, quality))
    return Estimates(tuple(rows))


def write_agreement(path: Path, agreement: Agreement) -> None:
    """Write how well two sessions agree in every region, each figure with its 95 % confidence interval.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    unit = SYMBOLS[agreement.parameter].unit
    figures = (
        Column("bias", f"Mean of {agreement.second} minus {agreement.first}", unit),
        Column(
            "loa_low", "Lower 95 % limit of agreement (Bland and Altman 1999, doi 10.1177/096228029900800204)", unit
        ),
        Column("loa_high", "Upper 95 % limit of agreement", unit),
        Column("icc", f"Intraclass correlation, {agreement.icc_form}"),
        Column("trv", "Absolute test-retest variability", "%"),
        Column("wscv", "Within-subject coefficient of variation", "%"),
    )
    others = (
        Column("sdd", "Smallest difference between two scans of a person that exceeds their noise, 1.96 SD", unit),
        Column("icc_c1", "Intraclass correlation, ICC(C,1): two-way, consistency, single measurement"),
        Column("icc_1", "Intraclass correlation, ICC(1): one-way random, single measurement"),
    )
    columns = [
        Column("region", "Region"),
        Column("n", "Participants with a usable estimate in both sessions"),
        *_with_intervals(figures),
        Column("excluded", "Values that were left out; the sidecar's Excluded says which and why"),
        REMARK,
        *_with_intervals(others),
        Column("n_10_percent", "Participants with whom a paired t test shows a change of 10 % in 80 % of studies"),
    ]
    rows = []
    for row in agreement.rows:
        intervals = (row.bias, row.limits_low, row.limits_high, row.icc, row.trv, row.wscv)
        numbers = [number for interval in intervals for number in _numbers(interval)]
        why = row.why or NOT_AVAILABLE
        more = [n for one in (row.sdd, row.icc_consistency, row.icc_one_way) for n in _numbers(one)]
        counts = len(row.pairs), len(row.pairs.excluded)
        rows.append([row.pairs.region, counts[0], *numbers, counts[1], why, *more, float(row.n_ten)])
    metadata = {
        "Description": f"Test-retest agreement of {agreement.parameter} by region",
        "Tracer": agreement.tracer,
        "ModelName": agreement.model,
        "Parameter": agreement.parameter,
        "Sessions": [agreement.first, agreement.second],
        "Excluded": excluded_json([row.pairs.excluded for row in agreement.rows]),
        **software(),
    }
    write_described(path, columns, rows, metadata)


def _with_intervals(figures: Sequence[Column]) -> list[Column]:
    """Each figure, and the ends of its interval behind it."""
    columns = []
    for name, what, unit in figures:
        columns.append(Column(name, what, unit))
        for end, which in (("low", "Lower"), ("high", "Upper")):
            columns.append(Column(f"{name}_ci_{end}", f"{which} end of the 95 % confidence interval of {name}", unit))
    return columns


def _numbers(interval: Interval) -> tuple[float, float, float]:
    return float(interval.value), float(interval.low), float(interval.high)


def excluded_json(several: Sequence[Sequence[Excluded]]) -> list[dict[str, str]]:
    """Values that were left out, for a sidecar."""
    return [
        {"participant": one.participant, "session": one.session, "region": one.region, "reason": one.reason}
        for group in several
        for one in group
    ]


def software() -> dict[str, str]:
    """Name and version of this program, for a sidecar."""
    return {"SoftwareName": SOFTWARE, "SoftwareVersion": software_version()}

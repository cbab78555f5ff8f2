"""Tables of pharmacology beside a contrast: flow, ligand or receptors, Lassen plots, occupancy against dose."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from raphe.data.pharmacology import Displacement
from raphe.data.pharmacology_tables import (
    DoseRow,
    DoseTable,
    FlowRow,
    FlowTable,
    LigandRow,
    LigandTable,
    Pharmacology,
)
from raphe.data.results import Interval
from raphe.io import derivatives as names
from raphe.io.described import NOT_AVAILABLE, Column, write_described
from raphe.io.lassen import write_lassen
from raphe.io.occupancy import plain
from raphe.io.results import REMARK, excluded_json, software

NAN = float("nan")

UNKNOWN = Interval(NAN, NAN, NAN)

CONTRAST = Column("contrast", "Name of the contrast in the study plan")
REGION = Column("region", "Region")
COUNT = Column("n", "Participants whose values enter")
EXCLUDED = Column("excluded", "Values that were left out; the sidecar's Excluded says which and why")
TOLD = Column("told", "What the row says, in words")

MARGIN_NOTE = "an assumption of raphe, which the key flow_margin of the plan changes"
THETA0_NOTE = "an assumption of the study plan, not measured here"


def write_pharmacology(out: Path, made: Pharmacology) -> list[Path]:
    """Write every table under the folder of a study, and give their paths; none where a table has no row.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    files = []
    for flow in made.flow:
        if flow.rows:
            files.append(names.contrast_table(out, flow.contrast, "flow"))
            write_flow(files[-1], flow)
    for ligand in made.ligand:
        files.append(names.contrast_table(out, ligand.contrast, "displacement"))
        write_ligand(files[-1], ligand)
    for lassen in made.lassen:
        files.append(names.contrast_table(out, lassen.contrast, "lassen"))
        write_lassen(files[-1], lassen)
    for dose in made.dose:
        files.append(names.contrast_table(out, dose.contrast, "doseresponse"))
        write_dose(files[-1], dose, {})
    return files


def write_flow(path: Path, table: FlowTable) -> None:
    """Write whether R1 and k2' changed, or changed unlike, in every region.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    over = f"{table.second} over {table.first}"
    of = f"{over}, in arm {table.arms[1]} over that in arm {table.arms[0]}" if table.arms else over
    test = "Welch's t test" if table.arms else "paired t test"
    columns = (
        CONTRAST,
        REGION,
        Column("parameter", "R1 (delivery relative to the reference) or k2_prime (clearance from the reference)"),
        COUNT,
        Column("ratio", f"Geometric mean of {of}"),
        Column("ci_low", "Lower end of its 95 % confidence interval"),
        Column("ci_high", "Upper end of its 95 % confidence interval"),
        Column("ci90_low", "Lower end of its 90 % confidence interval, by which equivalence is judged"),
        Column("ci90_high", "Upper end of its 90 % confidence interval"),
        Column("p", f"Two-sided p value of a ratio of 1, {test} of logarithms; not adjusted"),
        Column("p_equivalence", "p value of two one-sided tests that the ratio lies beyond the margin; not adjusted"),
        Column("margin", "Largest ratio that counts as no change; 1 over it is the smallest"),
        EXCLUDED,
        TOLD,
        REMARK,
    )
    about = {
        "Description": f"Whether delivery or clearance changed beside contrast {table.contrast}: {of}",
        "Tracer": table.tracer,
        "ModelName": table.model,
        "Terms": [table.first, table.second],
        "Arms": list(table.arms),
        "EquivalenceMargin": {
            "Value": table.margin,
            "Source": MARGIN_NOTE if table.assumed else "the study plan (flow_margin)",
        },
        "Excluded": excluded_json([row.excluded for row in table.rows]),
        **software(),
    }
    write_described(path, columns, [_flow_row(table, row) for row in table.rows], about)


def _flow_row(table: FlowTable, row: FlowRow) -> list[object]:
    found = row.found
    numbers: Sequence[float] = (NAN,) * 7
    if found is not None:
        ratio, narrow = found.ratio, found.equivalence
        numbers = ratio.value, ratio.low, ratio.high, narrow.low, narrow.high, found.p, found.p_equivalence
    told = NOT_AVAILABLE if found is None else found.statement
    kept = row.region, row.parameter, row.n, *map(float, numbers), table.margin
    return [table.contrast, *kept, len(row.excluded), told, row.why or NOT_AVAILABLE]


def write_ligand(path: Path, table: LigandTable) -> None:
    """Write what a change of binding says of endogenous ligand and of receptors in every region.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    known = not math.isnan(table.theta0)
    parts = (
        ("ratio", "BP_ND under the drug over that at baseline, means of both; of two sessions alone"),
        ("receptors", f"B_max under the drug over that at baseline{_if(table, 'the ligand did not change')}"),
        ("ligand", f"theta0 (n - 1): rise of the ligand in units of its affinity{_if(table, 'B_max did not change')}"),
        (
            "theta0",
            "Share of receptors that the ligand takes at baseline" + (f": {THETA0_NOTE}" if known else ""),
        ),
        ("fold", f"n, fold change of the ligand{_if(table, 'B_max did not change')}; needs theta0"),
    )
    columns = [CONTRAST, REGION, Column("design", "pair, release or depletion"), COUNT]
    for name, what in parts:
        columns.append(Column(name, what))
        for end, which in (("low", "Lower"), ("high", "Upper")):
            said = "end of the range that the plan gives" if name == "theta0" and known else "end of its 95 % interval"
            columns.append(Column(f"{name}_{end}", f"{which} {said}; inf or -inf where there is none"))
    of = "n/a of two sessions, which cannot tell them apart"
    columns += [
        Column("p_receptors", f"Two-sided p value of no change of B_max; {of}"),
        Column("p_ligand", f"Two-sided p value of no change of the ligand; {of}"),
        EXCLUDED,
        TOLD,
        REMARK,
    ]
    assumed = {"Value": table.theta0, "Range": list(table.theta0_range), "Source": THETA0_NOTE} if known else None
    about = {
        "Description": f"Endogenous ligand against receptor number, contrast {table.contrast}",
        "Tracer": table.tracer,
        "ModelName": table.model,
        "Terms": list(table.terms),
        "Design": table.design,
        "AssumedTheta0": assumed,
        "Excluded": excluded_json([row.excluded for row in table.rows]),
        **software(),
    }
    write_described(path, columns, [_ligand_row(table, row) for row in table.rows], about)


def _if(table: LigandTable, what: str) -> str:
    return f" if {what}" if table.design == "pair" else ""


def _ligand_row(table: LigandTable, row: LigandRow) -> list[object]:
    found = row.found
    ends = table.theta0_range or (table.theta0, table.theta0)
    theta0 = Interval(table.theta0, ends[0], ends[-1])
    p, told = (NAN, NAN), NOT_AVAILABLE
    if found is None:
        several = [UNKNOWN, UNKNOWN, UNKNOWN, theta0, UNKNOWN]
    elif isinstance(found, Displacement):
        several, told = [found.ratio, found.receptors, found.extra, theta0, found.fold], found.statement
    else:
        several = [UNKNOWN, found.receptors, found.extra, found.theta0, found.fold]
        p, told = (found.p_receptors, found.p_extra), found.statement
    numbers = [cell for interval in several for cell in _cells(interval)]
    rest = *map(float, p), len(row.excluded), told, row.why or NOT_AVAILABLE
    return [table.contrast, row.region, table.design, row.n, *numbers, *rest]


def write_dose(path: Path, table: DoseTable, told: Mapping[str, object]) -> None:
    """Write occupancy against dose or concentration; ``told`` is what the sidecar says besides.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    unit = table.unit
    shares = ((50, "50 %"), (80, "80 %"))
    predicted = f"{table.kind.capitalize()} predicted for an occupancy of"
    columns = [
        CONTRAST,
        Column("region", "Region, or 'all regions' where each point is the line through a participant's regions"),
        Column("n", "Participants whose scans enter"),
        Column("n_scan", "Scans that enter"),
        *_three("E_max", "Largest occupancy, a share of 1", "unitless"),
        *_three("EC50", f"{table.kind.capitalize()} of half the largest occupancy", unit),
        *_three("hill", "Hill slope", "unitless"),
        Column("fitted", "Parameters that were fitted; the others were fixed, and stand as their own interval"),
        Column("sd", "Residual standard deviation of the occupancies, a share of 1", "unitless"),
        Column("subject_sd", "Standard deviation of ln EC50 between participants; 0 where each has one scan"),
        Column("df", "Degrees of freedom"),
        *(column for share, words in shares for column in _three(f"for_{share}", f"{predicted} {words}", unit)),
        Column("excluded", "Scans that were left out; the sidecar's Excluded says which and why"),
        TOLD,
        REMARK,
    ]
    about = {
        "Description": f"Occupancy against {table.exposure}: E_max x^h / (x^h + EC50^h)",
        "Tracer": table.tracer or NOT_AVAILABLE,
        "ModelName": table.model or NOT_AVAILABLE,
        "Exposure": table.exposure,
        "ExposureUnit": unit or NOT_AVAILABLE,
        "ExposureKind": table.kind,
        "FixedAt": {"E_max": table.E_max, "hill": table.hill},
        "Errors": "alike in all scans, their size told by the scatter; intervals are 95 % profile likelihood",
        "Points": [_points(row) for row in table.rows],
        "Excluded": [
            {"participant": who, "region": row.region, "reason": why} for row in table.rows for who, why in row.left_out
        ],
        **told,
        **software(),
    }
    write_described(path, columns, [_dose_row(table, row) for row in table.rows], about)


def dose_summary(row: DoseRow) -> dict[str, object]:
    """What one curve tells, as JSON values; null where there is no number."""
    fit = row.fit
    return {
        "Region": row.region,
        "N": len(row.points),
        "EC50": None if fit is None else plain(fit.EC50),
        "EMax": None if fit is None else plain(fit.E_max),
        "Hill": None if fit is None else plain(fit.hill),
        "DoseFor": {f"{share:g}": plain(interval) for share, interval in row.doses},
        "Statements": [*(() if fit is None else fit.statements), *row.remarks, *((row.why,) if row.why else ())],
    }


def _three(name: str, what: str, unit: str) -> Iterator[Column]:
    yield Column(name, what, unit)
    yield Column(f"{name}_low", "Lower end of its 95 % interval; 0 where the data set none", unit)
    yield Column(f"{name}_high", "Upper end of its 95 % interval; inf where the data set none", unit)


def _points(row: DoseRow) -> dict[str, object]:
    return {
        "Region": row.region,
        "Scans": [
            {
                "participant": point.participant,
                "session": point.session,
                "exposure": point.exposure,
                "occupancy": point.occupancy,
            }
            for point in row.points
        ],
    }


def _dose_row(table: DoseTable, row: DoseRow) -> list[object]:
    fit = row.fit
    people = len({point.participant for point in row.points})
    start = [table.contrast or NOT_AVAILABLE, row.region, people, len(row.points)]
    if fit is None:
        return [*start, *[NAN] * 9, NOT_AVAILABLE, *[NAN] * 9, len(row.left_out), NOT_AVAILABLE, row.why]
    parameters = [cell for interval in (fit.E_max, fit.EC50, fit.hill) for cell in _cells(interval)]
    doses = [cell for _, interval in row.doses for cell in _cells(interval)]
    told = "; ".join((*fit.statements, *row.remarks)) or NOT_AVAILABLE
    middle = ", ".join(fit.free), float(fit.sd), float(fit.subject_sd), fit.df
    return [*start, *parameters, *middle, *doses, len(row.left_out), told, NOT_AVAILABLE]


def _cells(interval: Interval) -> tuple[object, object, object]:
    return float(interval.value), _end(interval.low), _end(interval.high)


def _end(value: float) -> object:
    """End of an interval; one that is infinite is told by its name."""
    return ("inf" if value > 0 else "-inf") if math.isinf(value) else float(value)

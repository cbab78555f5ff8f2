"""200 simulated trials after Tiger et al. 2020, curves only: ``python benchmarks/tiger_trials.py [--out docs]``.

Each trial is the plan ``tiger2020`` with another seed, up to the visit after the blind infusion: 30 patients, two
scans, SRTM on the noisy curves of hippocampus and ventral striatum. Shown are the p value of ketamine against placebo
(two samples, change of hippocampal BP_ND), the change within the ketamine arm, and the correlations of binding before
with severity and improvement, each with the published value marked. Then the same patients with saline in both arms,
where p must be uniform. Without images this says nothing of motion or partial volume. Four minutes of one core; same
seed, same numbers. ``--trials N`` makes fewer, ``--first N`` begins at another seed.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import stats

import raphe
from raphe import catalog
from raphe.report import svg
from raphe.simulate.plan import RegionsSection, SimulationPlan
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.population import ScanTruth, participant, scan_truth, treatment_of
from raphe.simulate.record import record
from raphe.simulate.scan_tacs import scan_tacs
from tissues import HALF_LIFE, print_table

Array = npt.NDArray[np.float64]

HIPPOCAMPUS, STRIATUM = "hippocampus", "ventral striatum"
PUBLISHED = {"change": 16.7, "p within": 0.036, "severity": -0.426, "improvement": -0.644}
"""Of Tiger et al. 2020; the p value between arms was not significant, its size is not at hand."""


@dataclass(frozen=True, eq=False)
class Trial:
    """What one trial measures."""

    change: Array
    """Per cent, in the hippocampus of each patient of the ketamine arm."""
    within: float
    """p value of that arm's change of BP_ND."""
    between: float
    """p value of the arms' difference in change of BP_ND."""
    null: float
    """Likewise with saline in both arms."""
    severity: float
    """Correlation of ventral-striatal BP_ND before with MADRS before, all patients."""
    improvement: float
    """Correlation of ventral-striatal BP_ND before with the fall of MADRS, ketamine arm."""
    fall: tuple[float, float]
    """Mean fall of MADRS, ketamine and placebo."""
    flagged: int
    """Fits that a flag excludes."""


def blind_plan() -> SimulationPlan:
    """``tiger2020`` up to the visit after the blind infusion, two regions."""
    plan = parse_plan(find_plan("tiger2020"))
    return plan.model_copy(
        update={
            "regions": RegionsSection.model_validate({"list": [HIPPOCAMPUS, STRIATUM]}),
            "doses": tuple(dose for dose in plan.doses if dose.blind),
            "visits": plan.visits[:2],
            "dropout": None,
        }
    )


def without_drug(plan: SimulationPlan) -> SimulationPlan:
    """The plan with saline for every drug."""
    nothing = catalog.Quantity.model_validate({"value": 0.0, "source": "assumption"})
    return plan.model_copy(update={"doses": tuple(d.model_copy(update={"mg_per_kg": nothing}) for d in plan.doses)})


def measured(plan: SimulationPlan, seed: int, truth: ScanTruth) -> Array:
    """BP_ND of the regions by SRTM on noisy curves, NaN where a flag excludes; shape (n_region,)."""
    result, _ = raphe.fit(raphe.SRTM(), scan_tacs(plan, seed, truth), reference="cerebellar_grey", half_life=HALF_LIFE)
    value, _ = result.of("BP_ND")
    return np.asarray(np.where(result.usable, value, np.nan))


def trial(plan: SimulationPlan, saline: SimulationPlan, seed: int) -> Trial:
    """Simulate and analyse one trial."""
    records = [record(plan, seed, index) for index in range(plan.study.participants)]
    treated = np.array([one.participant.arm == "ketamine" for one in records])
    first, second = (np.array([measured(plan, seed, one.truths[scan]) for one in records]) for scan in (0, 1))
    unchanged = second.copy()
    for index in np.flatnonzero(treated):
        unchanged[index] = measured(saline, seed, _after_saline(saline, seed, int(index)))
    scores = np.array([one.scores for one in records], dtype=float)
    fall = scores[:, 0] - scores[:, 1]
    change, null = (second - first)[:, 0], (unchanged - first)[:, 0]
    return Trial(
        change=(100 * change / first[:, 0])[treated],
        within=float(stats.ttest_1samp(change[treated], 0.0, nan_policy="omit").pvalue),
        between=float(stats.ttest_ind(change[treated], change[~treated], nan_policy="omit").pvalue),
        null=float(stats.ttest_ind(null[treated], null[~treated], nan_policy="omit").pvalue),
        severity=_correlation(first[:, 1], scores[:, 0]),
        improvement=_correlation(first[treated, 1], fall[treated]),
        fall=(float(fall[treated].mean()), float(fall[~treated].mean())),
        flagged=int(np.isnan(np.array([first, second])).sum()),
    )


def _after_saline(saline: SimulationPlan, seed: int, index: int) -> ScanTruth:
    person = participant(saline, seed, index)
    return scan_truth(saline, seed, person, saline.sessions[1], saline.tracers[0], treatment_of(saline, seed, person))


def _correlation(x: Array, y: Array) -> float:
    good = np.isfinite(x)
    return float(np.corrcoef(x[good], y[good])[0, 1])


def report(trials: list[Trial]) -> None:
    """Print what the trials measured, beside the published values."""
    changes = np.concatenate([one.change for one in trials])
    changes = changes[np.isfinite(changes)]
    spread = np.array([np.nanstd(one.change, ddof=1) for one in trials])
    rows = [["hippocampal change after ketamine, patients, %", _spread(changes), "mean 16.7, SD about 33 (derived)"]]
    rows.append(["SD of that change within a trial, %", _spread(spread), "about 33 (derived)"])
    for title, values, published in (
        ("mean change of a trial, %", [np.nanmean(one.change) for one in trials], "16.7"),
        ("r, binding before and severity", [one.severity for one in trials], "-0.426"),
        ("r, binding before and improvement", [one.improvement for one in trials], "-0.644"),
        ("fall of MADRS, ketamine", [one.fall[0] for one in trials], "not known"),
        ("fall of MADRS, placebo", [one.fall[1] for one in trials], "not known"),
    ):
        rows.append([title, _spread(np.array(values)), published])
    print_table(f"{len(trials)} trials: mean, SD, and 2.5 % to 97.5 %", ["", "simulated", "published"], rows)
    for name, what in (("within", "within ketamine"), ("between", "ketamine against placebo"), ("null", "no effect")):
        p = np.array([getattr(one, name) for one in trials])
        print(f"p, {what}: below 0.05 in {100 * np.mean(p < 0.05):.1f} % of trials, median {np.median(p):.3f}")
    p = np.array([one.null for one in trials])
    uniform = stats.kstest(p, "uniform")
    print(f"p under no effect against the uniform distribution: KS {uniform.statistic:.3f}, p = {uniform.pvalue:.2f}")
    r = np.array([one.improvement for one in trials])
    print(f"r at most -0.644 in {100 * np.mean(r <= -0.644):.0f} % of trials")
    print(f"{sum(one.flagged for one in trials)} fits flagged")


def _spread(values: Array) -> str:
    low, high = np.quantile(values, [0.025, 0.975])
    error = values.std(ddof=1) / np.sqrt(values.size)
    return f"{values.mean():.3g} (SE {error:.1g}), SD {values.std(ddof=1):.3g}, {low:.3g} to {high:.3g}"


def draw(trials: list[Trial], path: Path) -> None:
    """Write the figure: four histograms with the published values marked."""
    panels = (
        ("p, ketamine against placebo", [t.between for t in trials], (0.0, 1.0), None),
        ("p, no effect", [t.null for t in trials], (0.0, 1.0), None),
        ("mean change within ketamine, %", [float(np.nanmean(t.change)) for t in trials], (-10.0, 50.0), 16.7),
        ("r, binding before and improvement", [t.improvement for t in trials], (-1.0, 0.4), -0.644),
    )
    parts = [
        _histogram(np.array(values), bounds, marked, title, 40 + 300 * (number % 2), 30 + 190 * (number // 2))
        for number, (title, values, bounds, marked) in enumerate(panels)
    ]
    drawn = str(svg.drawing(640, 400, parts, f"Histograms over {len(trials)} simulated trials"))
    style = (
        "<style>text{font-size:10px;font-family:sans-serif}.axis{stroke:#555;fill:none}.bar{stroke:#69c;fill:none;"
        "stroke-width:10}.published{stroke:#c22;fill:none;stroke-width:2;stroke-dasharray:4 3}</style>"
    )
    start = drawn.index(">") + 1
    head = drawn[:start].replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ')
    path.write_text(f'{head}{style}<rect width="640" height="400" fill="#fff"/>{drawn[start:]}\n', encoding="utf-8")


def _histogram(
    values: Array, bounds: tuple[float, float], marked: float | None, title: str, left: float, top: float
) -> str:
    edges = np.linspace(*bounds, 21)
    count = np.histogram(values, edges)[0]
    across = svg.Scale(bounds[0], bounds[1], left, left + 250)
    up = svg.from_zero(count.tolist(), top + 130, top + 10)
    middles = (edges[:-1] + edges[1:]) / 2
    bars = [
        (across(float(m)), up(0.0), across(float(m)), up(float(c))) for m, c in zip(middles, count, strict=True) if c
    ]
    parts = [svg.segments(bars, "bar"), svg.x_axis(across, top + 130), svg.y_axis(up, left, most=3)]
    parts.append(svg.text(left, top, title))
    if marked is not None:
        parts.append(svg.segments([(across(marked), top + 130, across(marked), top + 8)], "published"))
    return "".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="seed of the first")
    parser.add_argument("--out", type=Path, help="folder for tiger-trials.svg")
    options = parser.parse_args()
    plan = blind_plan()
    saline = without_drug(plan)
    trials = [trial(plan, saline, options.first + number) for number in range(options.trials)]
    report(trials)
    if options.out is not None:
        draw(trials, options.out / "tiger-trials.svg")


if __name__ == "__main__":
    main()

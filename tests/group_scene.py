"""A study made up to try the group page: long names, many regions, missing values, reasons, a trap."""

import math

import numpy as np
from scipy.ndimage import gaussian_filter
from scipy.special import stdtr

from raphe.report.answers import Answer
from raphe.report.brain import StatisticMap
from raphe.report.contrast_forest import forest_figure
from raphe.report.correlation import Axis, Scatter
from raphe.report.flow import FlowScan
from raphe.report.forest import ForestRow
from raphe.report.group import Folded, Group, correlation_figure, flow_figure, map_part, spaghetti_figure
from raphe.report.page import _environment
from raphe.report.peaks import PeakRow
from raphe.report.planned import planned
from raphe.report.spaghetti import PersonLine

NAN = math.nan

REGIONS = (
    "hippocampus", "ventral striatum", "rostral anterior cingulate", "frontal", "occipital", "temporal", "parietal",
    "insula", "amygdala", "caudate", "putamen", "pallidum", "thalamus", "midbrain", "dorsal raphe",
    "ctx-lh-G_and_S_transv_frontopol_of_Destrieux_2010", "ctx-rh-S_oc_sup_and_transversal", "subcallosal area",
    "posterior cingulate", "fusiform", "lingual", "cuneus", "precuneus", "entorhinal",
)  # fmt: skip

OUTCOME = "BP_ND of [11C]AZ10419369 in hippocampus"


def rows(n=30, seed=1):
    """Rows of a forest plot: one without end, one of huge width, two that could not be computed."""
    rng = np.random.default_rng(seed)
    found = []
    for at, name in enumerate(REGIONS):
        half, value = float(rng.uniform(0.03, 0.12)), float(rng.normal(0.01, 0.04))
        p = float(rng.uniform(0.01, 1))
        found.append(
            ForestRow(
                name, value, value - half, value + half, n, p, min(1.0, p * len(REGIONS)), 100 * value,
                100 * (value - half), 100 * (value + half), primary=at == 0,
            )
        )  # fmt: skip
    found[14] = ForestRow("dorsal raphe", 0.9, -2.1, 3.9, 5, 0.31, 1.0, 12.0)
    found[18] = ForestRow("posterior cingulate", 0.02, NAN, NAN, 1, why="one person allows no inference across people")
    found[20] = ForestRow("lingual", NAN, NAN, NAN, 0, why="no scan has a usable estimate")
    found[22] = ForestRow(
        "precuneus", NAN, NAN, NAN, 2,
        why="the design has 4 columns but 2 scans have a usable estimate; leave out covariates or regions, or see "
        "exclusions.tsv, which takes four of the six scans of this region out of the study",
    )  # fmt: skip
    return found


def lines(n_drug=20, n_placebo=10, n_session=2, seed=2, out=(3, 24)):
    """People of two arms, some of them left out, one without a second scan."""
    rng = np.random.default_rng(seed)
    found = []
    for at in range(n_drug + n_placebo):
        arm = "ketamine" if at < n_drug else "placebo"
        base = rng.normal(0.4, 0.1)
        values = base + np.r_[0, rng.normal(0.04 if arm == "ketamine" else 0.01, 0.08, n_session - 1)]
        if at == 5:
            values[-1] = NAN
        why = "head moved by 9 mm" if at in out else ""
        found.append(PersonLine(f"sub-{at + 1:02d}", arm, tuple(float(v) for v in values), why))
    return found


def monkeys():
    """Four animals in each of four conditions."""
    conditions = {"vehicle": 0.0, "ketamine": -0.3, "NBQX then ketamine": -0.28, "fenfluramine": -0.5}
    return [
        PersonLine(f"monkey-{at}", condition, (2.3 + at / 9 + change,))
        for at in range(4)
        for condition, change in conditions.items()
    ]


def scatter(n=20, adjusted=False, seed=3):
    """Baseline binding against the change of symptoms, with severity as a covariate."""
    rng = np.random.default_rng(seed)
    severity = rng.normal(28, 5, n)
    x = 2.4 - 0.02 * (severity - 28) + rng.normal(0, 0.3, n)
    y = -8 - 9 * (x - 2.4) + 0.4 * (severity - 28) + rng.normal(0, 4, n)
    used = np.arange(n) != 2
    left = [values[used] - (np.polyval(np.polyfit(severity[used], values[used], 1), severity[used]) if adjusted else 0)
            for values in (x, y)]  # fmt: skip
    r = float(np.corrcoef(*left)[0, 1])
    half = 1.96 / math.sqrt(max(n - 1 - 3 - adjusted, 1))
    df = n - 3 - adjusted
    return Scatter(
        tuple(f"sub-{at + 1:02d}" for at in range(n)), x, y, Axis("BP_ND in ventral striatum"),
        Axis("change of MADRS", "points"), r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half),
        float(2 * stdtr(df, -abs(r) * math.sqrt(df / (1 - r * r)))),
        groups=tuple("ketamine" if at % 3 else "placebo" for at in range(n)), order=("ketamine", "placebo"),
        covariates=severity[:, None] if adjusted else None, adjusted_for=("baseline MADRS",) if adjusted else (),
        why=tuple("" if ok else "took an SSRI" for ok in used),
    )  # fmt: skip


def scans():
    """Thirty people, two sessions; some scans missing, excluded or failed."""
    missing = {(4, "post"): "withdrew consent", (11, "post"): "withdrew consent", (12, "post"): "synthesis failed"}
    excluded = {(7, "baseline"): "moved by more than 5 mm in half of the frames and could not be corrected"}
    failed = {(19, "post"): "the reference region has no voxel"}
    return [
        FlowScan(
            f"sub-{at + 1:02d}", session, "ketamine" if at < 20 else "placebo", missing.get((at, session), ""),
            excluded.get((at, session), ""), failed.get((at, session), ""),
        )
        for at in range(30)
        for session in ("baseline", "post")
    ]  # fmt: skip


def answers():
    """The trap: a change within the drug arm, and no difference from placebo."""
    shared = {"control": "placebo"}
    return [
        Answer(
            "ketamine, post", "exploratory", "within", OUTCOME, "baseline", "post", 0.05, 0.004, 0.096, 16.7, 0.036,
            n=20, test="t(19) = 2.26", arm="ketamine", **shared,
        ),
        Answer(
            "after treatment", "primary", "between", OUTCOME, "placebo", "ketamine", 0.03, -0.04, 0.10, 9.0, 0.39,
            n=30, test="t(27) = 0.87", **shared,
        ),
        Answer(
            "placebo, post", "exploratory", "within", OUTCOME, "baseline", "post", 0.01, -0.05, 0.07, 2.0, 0.71,
            n=10, test="t(9) = 0.38", arm="placebo", **shared,
        ),
        Answer(
            "ventral striatum", "secondary", "between", "BP_ND of [11C]AZ10419369 in ventral striatum", "placebo",
            "ketamine", 0.11, 0.01, 0.21, 4.4, 0.031, n=30, stopped_by="after treatment", **shared,
        ),
        Answer(
            "four animals", "secondary", "crossover", "BP_ND of [11C]DASB in nucleus accumbens", "vehicle",
            "ketamine", -0.31, -0.52, -0.1, -14.2, 0.125, n=4, test="all 16 sign flips", least_p=0.125,
        ),
        Answer(
            "binding and symptoms", "exploratory", "correlation", "People of the ketamine arm",
            "baseline BP_ND in ventral striatum", "change of MADRS", -0.644, -0.85, -0.28, p=0.002, n=20,
        ),
    ]  # fmt: skip


def brain(threshold=3.1, seed=4, corrected=True):
    """Smooth noise in a head-like ellipsoid with one blob that is beyond chance, at 30, -12 and -16 mm."""
    shape, zoom = (61, 73, 61), 3.0
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = -90, -126, -72
    at = np.moveaxis(np.indices(shape), 0, -1) @ affine[:3, :3].T + affine[:3, 3]
    mask = (((at - (0, -18, 10)) / (70, 88, 66)) ** 2).sum(axis=-1) < 1
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 2)
    values = 1.2 * noise / noise[mask].std()
    values += 6 * np.exp(-(((at - (30, -12, -16)) / 9) ** 2).sum(axis=-1))
    background = np.where(mask, 60 + 40 * np.cos(at[..., 0] / 9) * np.cos(at[..., 1] / 11) * np.cos(at[..., 2] / 8), 0)
    found = np.abs(values) > 4.6
    return StatisticMap(
        np.where(mask, values, np.nan), affine, mask, threshold, found & mask if corrected else None, background
    )


def peak_rows():
    """Two clusters, the first one with two peaks."""
    return [
        PeakRow("hippocampus", 30, -12, -16, 6.21, 0.004, 1, 214, 5778.0, 0.008),
        PeakRow("ctx-lh-G_and_S_transv_frontopol_of_Destrieux_2010", 33, -21, -13, 4.9, 0.041, 1, 214, 5778.0, 0.008),
        PeakRow("", -24, 60, 11, -4.02, 0.31, 2, 31, 837.0, 0.22),
    ]


def group():
    """Everything at once."""
    return Group(
        planned(answers()),
        (flow_figure(scans()),),
        (
            forest_figure(
                rows(), "BP_ND", "BP_ND of [11C]AZ10419369, ketamine less placebo, adjusted for baseline",
                before="difference of change in ", margin=(-0.05, 0.05), adjusted="Holm's procedure over 24 regions",
            ),
            spaghetti_figure(
                {"hippocampus": lines()}, ("baseline", "post"), "BP_ND", groups=("ketamine", "placebo"),
                title="Each person",
            ),
            spaghetti_figure(
                {"nucleus accumbens": monkeys()},
                ("scan",),
                "BP_ND",
            ),
            correlation_figure(scatter(), scatter(adjusted=True), title="Binding and symptoms"),
            correlation_figure(scatter(n=5)),
        ),
        (
            Folded(
                "Each person, other regions",
                (
                    spaghetti_figure(
                        {"putamen": lines(n_session=4)},
                        ("baseline", "24 h after the infusion", "72 h", "4 weeks"), "V_T", unit="mL/cm³",
                    ),
                ),
            ),
        ),
    )  # fmt: skip


PAGE = """
{% extends "base.html.j2" %}
{% from "figure.html.j2" import drawings %}
{% from "group.html.j2" import flow_part, planned_part, figures_part, peak_table with context %}
{% block page_title %}{{ title }}{% endblock %}
{% block body %}
{% set seen = namespace(figure=0, table=0) %}
<header><h1>{{ title }}</h1></header>
{{ flow_part(group, seen) }}
{{ planned_part(group, seen) }}
{{ figures_part(group, seen) }}
{% for map in maps %}
{{ drawings(map.figures, seen) }}
{{ peak_table(map.peaks, map.title, seen) }}
{% endfor %}
{% endblock %}
{% block record %}{% endblock %}
"""


def page_of(title, found, maps=()):
    """The parts of a study's page that tell of the group, as a page of their own."""
    return _environment().from_string(PAGE).render(title=title, group=found, maps=maps, versions={"raphe": "0"})


def whole_page(title="Group page"):
    """Everything at once, and a map."""
    told = "the largest absolute t of 5,000 permutations"
    return page_of(title, group(), [map_part("Ketamine less placebo", brain(), peak_rows(), told)])

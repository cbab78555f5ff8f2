"""Linear and mixed models beside R's, on fresh random data, and the type I error of small trials.

Run it from the checkout, with Debian's r-base-core, r-cran-nlme, r-cran-lme4, r-cran-lmertest, r-cran-pbkrtest and
r-cran-emmeans at hand for the first part:

    .venv/bin/python benchmarks/mixed_models.py 1 2 3 4 5          # seeds: largest differences from R
    .venv/bin/python benchmarks/mixed_models.py --real             # the same, of a published trial
    .venv/bin/python benchmarks/mixed_models.py --trials 2000      # rejections under no effect, and time a fit

R's part is ``mixed_models.R``: lm, lme4 with lmerTest and pbkrtest, nlme's gls and emmeans. gls gives no
Kenward-Roger and stops at a search by finite differences, so its model is fitted a second time there by dense matrices
and numerical derivatives (numDeriv); lines that begin with ``gls:`` are gls's own.
"""

from __future__ import annotations

import argparse
import csv
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from raphe.stats.columns import Covariate, Factor
from raphe.stats.design import design_of
from raphe.stats.effect import Effect
from raphe.stats.linear import ancova
from raphe.stats.longitudinal import fit_mixed
from raphe.stats.model import FittedModel

Table = dict[str, list[str]]
Found = dict[str, tuple[float, ...]]

R_SCRIPT = Path(__file__).with_suffix(".R")
TRIAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "clinical" / "antidepressant_data_rbmi.csv"
FREEDOM = {"s": "satterthwaite", "k": "kenward-roger"}


def numbers(values) -> list[str]:
    return [f"{value:.4f}" for value in values]


def trial(rng: np.random.Generator) -> Table:
    """30 people in two arms."""
    n = 30
    baseline, age = rng.normal(30, 5, n), rng.normal(45, 12, n)
    arm = rng.permutation(["a"] * 10 + ["b"] * 20)
    post = 5 + 0.7 * baseline + 0.05 * age - 3 * (arm == "b") + rng.normal(0, 5, n)
    return {
        "subject": [f"p{i}" for i in range(n)],
        "arm": list(arm),
        "baseline": numbers(baseline),
        "age": numbers(age),
        "post": numbers(post),
    }


def sessions(rng: np.random.Generator) -> Table:
    """Nine people, three sessions, a fifth of them missing, values with standard errors."""
    rows = []
    for i in range(9):
        own = rng.normal(0, rng.uniform(0, 1.5))
        for j in range(3):
            se = rng.uniform(0.3, 1.2)
            rows.append((f"p{i}", "ab"[i % 2], f"s{j}", 4 + own + 0.4 * j + rng.normal(0, se), se))
    kept = [row for k, row in enumerate(rows) if k < 12 or rng.random() > 0.2]
    names, arms, when, values, se = zip(*kept, strict=True)
    return {
        "subject": list(names), "arm": list(arms), "session": list(when), "y": numbers(values), "se": numbers(se)
    }  # fmt: skip


def within(rng: np.random.Generator) -> Table:
    """Four animals, two tracers, three conditions."""
    rows = []
    for i in range(4):
        own = rng.normal(0, 0.3)
        for tracer in ("AZ", "DASB"):
            inner = rng.normal(0, 0.15)
            for drug in ("base", "ket", "nbqx"):
                rows.append((f"m{i}", tracer, drug, 1.5 + own + inner + 0.3 * (drug == "ket") + rng.normal(0, 0.1)))
    names, tracers, drugs, values = zip(*rows, strict=True)
    return {"subject": list(names), "tracer": list(tracers), "drug": list(drugs), "y": numbers(values)}


def crossed(rng: np.random.Generator) -> Table:
    """Eight people under three drugs, each scan from one of five batches of tracer."""
    own, batches = rng.normal(0, 1, 8), rng.normal(0, 0.7, 5)
    rows = [(i, j, int(rng.integers(5))) for i in range(8) for j in range(3)]
    return {
        "subject": [f"p{i}" for i, _, _ in rows],
        "drug": [f"d{j}" for _, j, _ in rows],
        "batch": [f"b{k}" for _, _, k in rows],
        "mass": numbers(rng.normal(0, 1, len(rows))),
        "y": numbers([own[i] + 0.5 * j + batches[k] + rng.normal(0, 0.5) for i, j, k in rows]),
    }


def visits(rng: np.random.Generator) -> Table:
    """24 people, two arms, four visits, more and more of them missing."""
    factor = np.linalg.cholesky(np.array([[4, 2, 1.5, 1], [2, 5, 3, 2], [1.5, 3, 6, 4], [1, 2, 4, 7.0]]))
    columns: Table = defaultdict(list)
    for i in range(24):
        baseline, arm = rng.normal(20, 4), "ab"[i % 2]
        values = 0.3 * baseline + np.arange(4) * (0.5 + 0.4 * (arm == "b")) + factor @ rng.normal(size=4)
        seen = 4 if i < 8 else 4 - int(rng.binomial(3, 0.25))
        for j in range(seen):
            if i >= 8 and 0 < j < seen - 1 and rng.random() < 0.1:
                continue
            for name, text in zip(
                ("subject", "arm", "visit", "baseline", "y"),
                (f"p{i}", arm, f"v{j}", f"{baseline:.4f}", f"{values[j]:.4f}"),
                strict=True,
            ):
                columns[name].append(text)
    return dict(columns)


def factor(table: Table, name: str) -> Factor:
    return Factor(name, tuple(table[name]), tuple(sorted(set(table[name]))))


def covariate(table: Table, name: str) -> Covariate:
    return Covariate(name, np.array(table[name], dtype=float))


def put(found: Found, prefix: str, effects: list[Effect]) -> None:
    for i, effect in enumerate(effects, 1):
        found[f"{prefix}{i}"] = (effect.estimate, effect.se, effect.df, effect.p)


def put_model(found: Found, short: str, model: FittedModel) -> None:
    put(found, f"{short}:beta", list(model.coefficients.values()))
    for i, test in enumerate(model.joint_tests, 1):
        found[f"{short}:F{i}"] = (test.F, test.df1, test.df2, test.p)
    found["logLik"] = (model.log_likelihood, 0, 0, 0)


def of_trial(table: Table) -> Found:
    model = ancova(
        np.array(table["post"], dtype=float),
        covariate(table, "baseline"),
        factor(table, "arm"),
        [covariate(table, "age")],
        subject=table["subject"],
    )
    found: Found = {"logLik": (model.log_likelihood, 0, 0, 0)}
    put(found, "beta", list(model.coefficients.values()))
    put(found, "mean", [model.ls_mean({"arm": arm}) for arm in "ab"])
    put(found, "difference", [model.difference({"arm": "b"}, {"arm": "a"})])
    return found


def of_sessions(table: Table, weighted: bool = False) -> Found:
    arm, session = factor(table, "arm"), factor(table, "session")
    design = design_of([arm, session], [("arm",), ("session",), ("arm", "session")])
    found: Found = {}
    for short, df in FREEDOM.items():
        se = {"se": np.array(table["se"], dtype=float), "errors": "weights"} if weighted else {}
        model = fit_mixed(np.array(table["y"], dtype=float), design, table["subject"], df=df, **se)
        put_model(found, short, model)
        put_variances(found, model)
        if weighted:
            continue
        cells = [{"session": s, "arm": a} for s in session.levels for a in "ab"]
        put(found, f"{short}:mean", [model.ls_mean(cell) for cell in cells])
        pairs = [({"session": s, "arm": "b"}, {"session": s, "arm": "a"}) for s in session.levels]
        put(found, f"{short}:difference", [model.difference(*pair) for pair in pairs])
    return found


def put_variances(found: Found, model: FittedModel) -> None:
    for i, value in enumerate(model.covariance.values(), 1):
        found[f"variance{i}"] = (value, 0, 0, 0)


def of_within(table: Table, nested: bool = False) -> Found:
    tracer, drug = factor(table, "tracer"), factor(table, "drug")
    design = design_of([tracer, drug], [("tracer",), ("drug",), ("tracer", "drug")])
    pairs = [f"{s}:{t}" for s, t in zip(table["subject"], table["tracer"], strict=True)]
    random = {"subject:tracer": pairs, "subject": table["subject"]} if nested else None
    weights = {("AZ", "ket"): 1, ("AZ", "nbqx"): -1, ("DASB", "ket"): -1, ("DASB", "nbqx"): 1}
    found: Found = {}
    for short, df in FREEDOM.items():
        model = fit_mixed(np.array(table["y"], dtype=float), design, table["subject"], random=random, df=df)
        put_model(found, short, model)
        put_variances(found, model)
        cells = [{"tracer": t, "drug": c} for t in tracer.levels for c in drug.levels]
        put(found, f"{short}:mean", [model.ls_mean(cell) for cell in cells])
        put(found, f"{short}:interaction", [model.contrast(("tracer", "drug"), weights)])
    return found


def of_crossed(table: Table) -> Found:
    design = design_of([factor(table, "drug"), covariate(table, "mass")], [("drug",), ("mass",)])
    random = {"subject": table["subject"], "batch": table["batch"]}
    found: Found = {}
    for short, df in FREEDOM.items():
        model = fit_mixed(np.array(table["y"], dtype=float), design, table["subject"], random=random, df=df)
        put_model(found, short, model)
        put_variances(found, model)
    return found


def of_visits(table: Table, covariance: str) -> Found:
    arm, visit = factor(table, "arm"), factor(table, "visit")
    columns = [covariate(table, "baseline"), arm, visit]
    design = design_of(columns, [("baseline",), ("arm",), ("visit",), ("arm", "visit")])
    found: Found = {}
    for short, df in FREEDOM.items():
        model = fit_mixed(
            np.array(table["y"], dtype=float), design, table["subject"], visit=visit, covariance=covariance, df=df
        )
        put_model(found, short, model)
        pairs = [({"visit": v, "arm": "b"}, {"visit": v, "arm": "a"}) for v in visit.levels]
        put(found, f"{short}:difference", [model.difference(*pair) for pair in pairs])
    for key in [key for key in found if key.startswith("s:")]:
        found["gls:" + key[2:]] = (*found[key][:2], 0, 0)
    found["gls:logLik"] = found["logLik"]
    if covariance == "cs":
        found |= {f"lmer-{key}": value for key, value in found.items() if key[:2] in ("s:", "k:")}
    return found


DESIGNS: Mapping[str, tuple[Callable[[np.random.Generator], Table], Callable[[Table], Found]]] = {
    "ancova": (trial, of_trial),
    "intercept": (sessions, of_sessions),
    "weighted": (sessions, lambda table: of_sessions(table, weighted=True)),
    "within": (within, of_within),
    "nested": (within, lambda table: of_within(table, nested=True)),
    "crossed": (crossed, of_crossed),
    "mmrm-unstructured": (visits, lambda table: of_visits(table, "unstructured")),
    "mmrm-ar1": (visits, lambda table: of_visits(table, "ar1")),
    "mmrm-cs": (visits, lambda table: of_visits(table, "cs")),
    "mmrm-ar1h": (visits, lambda table: of_visits(table, "ar1h")),
    "mmrm-csh": (visits, lambda table: of_visits(table, "csh")),
}


def real_trial() -> Table:
    """HAMD17 change of the antidepressant trial."""
    with TRIAL.open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = {"subject": "PATIENT", "visit": "VISIT", "baseline": "BASVAL", "y": "CHANGE"}
    table = {name: [row[column] for row in rows] for name, column in names.items()}
    table["arm"] = ["b" if row["THERAPY"] == "DRUG" else "a" for row in rows]
    return table


def printed_by_r(design: str, table: Table) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([list(table), *zip(*table.values(), strict=True)])
        done = subprocess.run(
            ["Rscript", str(R_SCRIPT), design, str(path)], capture_output=True, text=True, check=False
        )
    if done.returncode:
        raise SystemExit(f"R failed on {design}:\n{done.stderr}")
    lines = [line.split() for line in done.stdout.splitlines()]
    return {line[0]: tuple(float(word) for word in line[1:]) for line in lines if len(line) == 5}


def compare(design: str, table: Table, worst: dict[tuple[str, str], list[float]], verbose: bool) -> None:
    """Keep the largest absolute differences of estimate, SE, df and p."""
    ours, theirs = DESIGNS[design][1](table), printed_by_r(design, table)
    for key, truth in theirs.items():
        kind = key.split(":")[0] if ":" in key else "lm or log-likelihood"
        found = np.array(ours[key])
        gap = np.abs(found - np.array(truth))
        if verbose and (gap > [1e-6, 1e-5, 1e-3, 1e-4]).any():
            print("   ", design, key, found, truth)
        held = worst.setdefault((design, kind), [0.0] * 4)
        held[:] = [max(a, float(b)) for a, b in zip(held, gap, strict=True)]


def beside_r(seeds: list[int], designs: list[str], verbose: bool) -> None:
    worst: dict[tuple[str, str], list[float]] = {}
    for design in designs:
        for seed in seeds:
            compare(design, DESIGNS[design][0](np.random.default_rng(seed)), worst, verbose)
    print(f"largest differences from R, seeds {seeds}")
    print(f"{'design':20}{'source':22}{'estimate':>12}{'SE':>12}{'df':>12}{'p':>12}")
    for (design, kind), gaps in worst.items():
        print(f"{design:20}{kind:22}" + "".join(f"{gap:12.1e}" for gap in gaps))


def no_effect(rng: np.random.Generator, n_visit: int) -> tuple[np.ndarray, np.ndarray]:
    """Baseline, shape (30,), and values after it, (30, T), of people whose arms do not differ."""
    apart = np.abs(np.subtract.outer(np.arange(n_visit + 1), np.arange(n_visit + 1)))
    spread = np.linspace(1, 1.5, n_visit + 1)
    factor = np.linalg.cholesky(0.7**apart * np.outer(spread, spread))
    values = rng.normal(size=(30, n_visit + 1)) @ factor.T
    return values[:, 0], values[:, 1:]


def p_of_ancova(rng: np.random.Generator) -> float:
    baseline, after = no_effect(rng, 1)
    arm = Factor("arm", ["ketamine"] * 20 + ["placebo"] * 10, ("placebo", "ketamine"))
    model = ancova(after[:, 0], Covariate("baseline", baseline), arm)
    return model.difference({"arm": "ketamine"}, {"arm": "placebo"}).p


def p_of_visits(rng: np.random.Generator, df: str = "kenward-roger") -> float:
    """20 v 10, three visits, each arm losing 10 % of those left before every visit but the first; at the last."""
    baseline, after = no_effect(rng, 3)
    stays = np.cumprod(rng.random((30, 3)) >= [0, 0.1, 0.1], axis=1).astype(bool)
    person, when = np.nonzero(stays)
    names = ("v1", "v2", "v3")
    visit = Factor("visit", [names[j] for j in when], names)
    arm = Factor("arm", ["ketamine" if i < 20 else "placebo" for i in person], ("placebo", "ketamine"))
    columns = [Covariate("baseline", baseline[person]), arm, visit]
    terms = [("baseline",), ("arm",), ("visit",), ("arm", "visit"), ("baseline", "visit")]
    design = design_of(columns, terms)
    model = fit_mixed(after[stays], design, [f"p{i}" for i in person], visit=visit, df=df)
    return model.difference({"arm": "ketamine", "visit": "v3"}, {"arm": "placebo", "visit": "v3"}).p


def p_within(rng: np.random.Generator) -> float:
    """Four animals, two tracers, three conditions: the interaction."""
    values = rng.normal(size=(4, 1)) + 0.3 * rng.normal(size=(4, 6))
    tracer = Factor("tracer", (["AZ"] * 3 + ["DASB"] * 3) * 4, ("AZ", "DASB"))
    drug = Factor("drug", ["base", "ket", "nbqx"] * 8, ("base", "ket", "nbqx"))
    design = design_of([tracer, drug], [("tracer",), ("drug",), ("tracer", "drug")])
    model = fit_mixed(values.ravel(), design, [f"m{i}" for i in range(4) for _ in range(6)])
    weights = {("AZ", "ket"): 1, ("AZ", "nbqx"): -1, ("DASB", "ket"): -1, ("DASB", "nbqx"): 1}
    return model.contrast(("tracer", "drug"), weights).p


STUDIES: Mapping[str, Callable[[np.random.Generator], float]] = {
    "ANCOVA, 20 v 10": p_of_ancova,
    "MMRM unstructured, 20 v 10, 3 visits, Kenward-Roger": p_of_visits,
    "the same, Satterthwaite": lambda rng: p_of_visits(rng, "satterthwaite"),
    "2 x 3 within 4 animals, Kenward-Roger": p_within,
}


def type_one(n: int, seed: int = 0) -> None:
    print(f"rejections at 5 % under no effect, {n} studies (one standard error {100 * np.sqrt(0.05 * 0.95 / n):.2f} %)")
    for name, study in STUDIES.items():
        rng, began = np.random.default_rng(seed), time.process_time()
        p = np.array([study(rng) for _ in range(n)])
        took = 1e3 * (time.process_time() - began) / n
        lost = f", {np.isnan(p).sum()} without a test" if np.isnan(p).any() else ""
        rate = float(np.mean(p[~np.isnan(p)] < 0.05))
        error = np.sqrt(rate * (1 - rate) / n)
        print(f"  {name:55} {100 * rate:5.2f} % (+- {100 * error:.2f}){lost}; {took:.1f} ms of processor a study")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seeds", type=int, nargs="*")
    parser.add_argument("--design", nargs="*", choices=list(DESIGNS))
    parser.add_argument("--real", action="store_true", help="the antidepressant trial, of ../shared")
    parser.add_argument("--trials", type=int, default=0, help="studies without effect, of each design")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    if arguments.seeds:
        if not shutil.which("Rscript"):
            sys.exit("there is no Rscript, so nothing can be compared")
        beside_r(arguments.seeds, arguments.design or list(DESIGNS), arguments.verbose)
    if arguments.real:
        worst: dict[tuple[str, str], list[float]] = {}
        compare("mmrm-unstructured", real_trial(), worst, True)
        print("largest differences from R, real trial:", worst)
    if arguments.trials:
        type_one(arguments.trials)


if __name__ == "__main__":
    main()

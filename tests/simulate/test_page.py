import html
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from raphe.catalog.schema import ASSUMPTION
from raphe.io.tables import read_table
from raphe.simulate.page import study_report
from raphe.simulate.page_courses import regimens
from raphe.simulate.page_curves import regions_of_curves
from raphe.simulate.page_design import sources
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import PlanText, find_plan, parse_plan
from raphe.simulate.record import Record, record
from raphe.simulate.study import simulate_study


def records(plan: SimulationPlan, n: int, seed: int = 1) -> list[Record]:
    return [record(plan, seed, index) for index in range(n)]


def made(name: str, n: int, seed: int = 1) -> str:
    source = find_plan(name)
    plan = parse_plan(source)
    return study_report(plan, source, seed, records(plan, n, seed), images=False)


def plain(page: str) -> str:
    text = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("\N{NO-BREAK SPACE}", " "))


def headings(page: str) -> list[str]:
    return re.findall(r"<h2>([^<]*)</h2>", page)


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("page") / "study"
    simulate_study("tiger2020", out, seed=2, participants=6, tacs_only=True)
    return out


@pytest.fixture(scope="module")
def page(trial: Path) -> str:
    return (trial / "truth" / "report.html").read_text(encoding="utf-8")


def test_the_page_says_what_was_drawn(trial: Path, page: str) -> None:
    arms = read_table(trial / "participants.tsv").cells("arm")
    said = plain(page)
    assert f"Drawn: {arms.count('ketamine')} to ketamine and {arms.count('placebo')} to placebo" in said
    assert headings(page) == [
        "Design",
        "Mechanism",
        "Symptoms",
        "True binding",
        "Curves and their noise",
        "Where the numbers are from",
        "References",
        "Provenance",
    ]
    assert re.search(r"Seed\s*2\b", said)
    assert "<img" not in page
    assert "data:image" not in page


def test_who_left_is_named() -> None:
    plan = parse_plan(find_plan("tiger2020"))
    people = records(plan, plan.study.participants)
    (left,) = [one.participant.label for one in people if None in one.scores]
    said = plain(study_report(plan, find_plan("tiger2020"), 1, people, images=False))
    assert f"(derived, tiger2020). Drawn: sub-{left}." in said
    open_phase = re.search(r"ketamine ([\d.]+) \(([\d.]+)\), 20 ([\d.]+) \(([\d.]+)\), 20", said)
    assert open_phase is not None
    first = np.array([one.scores[0] for one in people if one.participant.arm == "ketamine"], dtype=float)
    assert float(open_phase[1]) == pytest.approx(first.mean(), abs=0.06)


@pytest.mark.parametrize("name", ["test-retest", "tiger2020", "yamanaka2014"])
def test_no_assumption_of_a_plan_is_printed_as_published(name: str) -> None:
    source = find_plan(name)
    plan = parse_plan(source)
    page = made(name, 2)
    last = page[page.index('id="numbers"') : page.index('id="provenance"')]
    rows = re.findall(r"<tr><th scope=\"row\">.*?</tr>", last, flags=re.S)
    written = source.text.count('source = "assumption"') + sum("hours =" not in dose for dose in doses(source))
    assert sum('<span class="badge">assumption</span>' in row for row in rows) == written
    published = [row for row in rows if '<td class="word">published</td>' in row]
    assert len(published) == len(re.findall(r'source = "(?!assumption)\w+"(?![,\s]+status)', source.text))
    assert ASSUMPTION not in sources(plan)
    assert all(f"{key}: " in plain(page) for key in sources(plan))


def doses(source: PlanText) -> list[str]:
    """Text of each dose, whose time is an assumption where it is not given."""
    return [part.split("\n[")[0] for part in source.text.split("[[dose]]")[1:]]


def test_a_study_without_drugs_has_no_mechanism() -> None:
    assert headings(made("test-retest", 2)) == [
        "Design",
        "True binding",
        "Curves and their noise",
        "Where the numbers are from",
        "References",
        "Provenance",
    ]


def test_ways_of_being_treated_are_told_apart() -> None:
    found = {}
    for name in ("tiger2020", "yamanaka2014", "yamanaka2014-fenfluramine"):
        plan = parse_plan(find_plan(name))
        found[name] = [one.name for one in regimens(plan, records(plan, 3))]
    assert sorted(found["tiger2020"]) == ["ketamine", "placebo"]  # all have open infusions later
    assert found["yamanaka2014"] == ["ketamine", "NBQX + ketamine"]
    assert found["yamanaka2014-fenfluramine"] == [
        "ketamine",
        "NBQX + ketamine",
        "fenfluramine",
        "fenfluramine + ketamine",
    ]


def test_the_page_depends_on_plan_and_seed_alone(trial: Path, page: str, tmp_path: Path) -> None:
    simulate_study("tiger2020", tmp_path / "again", seed=2, participants=6, tacs_only=True)
    assert (tmp_path / "again" / "truth" / "report.html").read_bytes() == (trial / "truth/report.html").read_bytes()
    assert made("tiger2020", 6, seed=3) != page
    assert str(tmp_path.parent) not in page


def test_a_study_of_doses_alone_that_are_saline_still_has_a_page() -> None:
    source = find_plan("tiger2020")
    text = re.sub(r"mg_per_kg = \{ value = 0\.5", "mg_per_kg = { value = 0.0", source.text)
    plan = parse_plan(PlanText("saline", text))
    said = plain(study_report(plan, PlanText("saline", text), 1, records(plan, 3), images=False))
    assert "No drug is given to anyone" in said


def test_the_noise_that_is_shown_is_that_of_the_plan() -> None:
    plan = parse_plan(find_plan("test-retest"))
    found = regions_of_curves(plan, 1, records(plan, 40))
    assert found.n_scan == 80
    late = found.frames.mid > 1
    ratio = found.square[:, late] / found.expected[:, late] ** 2
    assert ratio.mean() == pytest.approx(1.0, abs=0.03)
    assert np.abs(ratio.mean(axis=1) - 1).max() < 0.15
    assert found.names[0] == "cerebellar grey"


def test_curves_alone_need_no_compiler(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from raphe.simulate.study import simulate_study; "
        f"simulate_study('test-retest', Path({str(tmp_path / 'study')!r}), participants=1, tacs_only=True); "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

from collections.abc import Callable
from pathlib import Path

import pytest

from raphe.errors import PlanError
from raphe.pipeline.plan import read_plan
from raphe.simulate.dataset import study_plan
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import PlanText, embedded_plans, find_plan, parse_plan
from raphe.simulate.plan_rules import check_rules


def understood(text: str) -> SimulationPlan:
    plan = parse_plan(PlanText("study.toml", text))
    check_rules(plan, "study.toml")
    return plan


EFFECT = """
[[effect]]
tracer = "AZ10419369"
session = "post"
arm = "ketamine"
regions = ["hippocampus"]
percent = { value = 16.7, source = "tiger2020" }
"""


def tiger() -> str:
    """A plan that has every section: effects set by hand beside the mechanism."""
    return find_plan("tiger2020").text + EFFECT


def macaques() -> str:
    return find_plan("yamanaka2014").text


def test_the_plans_that_come_with_raphe() -> None:
    assert set(embedded_plans()) == {"test-retest", "tiger2020", "yamanaka2014", "yamanaka2014-fenfluramine"}


@pytest.mark.parametrize("name", embedded_plans())
def test_embedded_plans_are_sound_and_give_a_study_plan(name: str, tmp_path: Path) -> None:
    plan = understood(find_plan(name).text)
    path = tmp_path / "raphe.toml"
    path.write_text(study_plan(plan), encoding="utf-8")
    study = read_plan(path)
    assert study.study.title == plan.study.title
    assert [tracer.name for tracer in study.tracers] == [tracer.name for tracer in plan.tracers]
    assert [session.label for session in study.sessions] == [session.label for session in plan.sessions]
    assert study.regions.names == plan.regions.names
    assert [contrast.terms for contrast in study.contrasts] == [contrast.terms for contrast in plan.contrasts]
    for section in ("effect", "dose", "mechanism", "symptoms"):
        assert f"[{section}" not in path.read_text(encoding="utf-8")


def test_text_of_any_kind_survives_the_way_into_the_study_plan(tmp_path: Path) -> None:
    title = 'a "quoted" \\ title with ü and\ttab'
    plan = understood(tiger())
    plan = plan.model_copy(update={"study": plan.study.model_copy(update={"title": title})})
    path = tmp_path / "raphe.toml"
    path.write_text(study_plan(plan), encoding="utf-8")
    assert read_plan(path).study.title == title


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('species = "human"', 'species = "humen"', ["species", "'humen'", "human"]),
        ('species = "human"', 'specie = "human"', ["specie", "did you mean 'species'"]),
        ("participants = 30", "participants = 31", ["does not add up", "31", "multiple of 3"]),
        ("participants = 30", "participants = -3", ["participants", "-3"]),
        ("participants = 30", 'participants = "30"', ["participants", "'30'"]),
        ("participants = 30", "", ["participants", "missing"]),
        ("allocation = 2", "allocation = 0", ["allocation", "0"]),
        ("allocation = 2", "allocation = 1.5", ["allocation", "1.5"]),
        ('name = "AZ10419369"', 'name = "AZ10419368"', ["AZ10419368", "did you mean 'AZ10419369'"]),
        ('schedule = "93 min"', 'schedule = "90 min"', ["schedule", "93 min"]),
        ('schedule = "93 min"', 'schedule = "93 min"\nmodel = "STRM"', ["STRM", "SRTM"]),
        ('    "hippocampus",\n', '    "hipocampus",\n', ["hipocampus", "did you mean 'hippocampus'"]),
        ('    "hippocampus",\n', '    "hippocampus",\n    "hippocampus",\n', ["hippocampus", "twice"]),
        ('session = "post"\narm', 'session = "after"\narm', ["[[effect]] 3", "after", "baseline"]),
        ('arm = "ketamine"\nreg', 'arm = "esketamine"\nreg', ["[[effect]] 3", "esketamine", "did you mean 'ketamine'"]),
        ("value = 16.7", "value = -100.0", ["[[effect]] 3", "-100"]),
        ("value = 16.7", "value = nan", ["[effect] 3", "finite"]),
        ('value = 16.7, source = "tiger2020"', "value = 16.7", ["[effect] 3", "source", "missing"]),
        ('value = 16.7, source = "tiger2020"', 'value = 16.7, source = "tiger2021"', ["tiger2021", "did you mean"]),
        ("percent = { value = 20.0", "percent = { value = -20.0", ["[[test_retest]] 1", "-20"]),
        ("percent = { value = 2.0", "percent = { value = -2.0", ["[noise]", "-2"]),
        ("between = { value = 0.5", "between = { value = 1.5", ["[variability]", "1.5"]),
        ('label = "post"', 'label = "post-1"', ["[session] 2", "post-1"]),
        ('label = "post"', 'label = "baseline"', ["[[session]]", "baseline", "twice"]),
        ('terms = ["baseline", "post"]', 'terms = ["baseline", "pots"]', ["pots", "did you mean 'post'"]),
        ('terms = ["baseline", "post"]', 'terms = ["post", "post"]', ["with itself"]),
        ('terms = ["baseline", "post"]', 'terms = ["baseline"]', ["terms", "[contrast] 2"]),
        (
            'contrast = "ketamine against placebo"',
            'contrast = "ketamine against saline"',
            ["[primary] contrast", "did you mean 'ketamine against placebo'"],
        ),
        ("[noise]", "[niose]", ["niose", "did you mean 'noise'"]),
        ("[noise]", "[noise", ["TOML"]),
    ],
)
def test_a_faulty_plan_is_refused_with_the_key_the_value_and_the_way_out(old: str, new: str, words: list[str]) -> None:
    check_refused(tiger(), old, new, words)


POST_HOURS = (
    'hours = { low = 24.0, high = 72.0, source = "tiger2020", note = "any time in that range is taken as likely" }'
)
SCAN_HOURS = (
    'hours = { low = 3.0, high = 3.0, source = "assumption", note = "after the begin of the infusion; soon enough that '
    'ketamine is still there, late enough that receptors have risen" }'
)


@pytest.mark.parametrize(
    ("text", "old", "new", "words"),
    [
        (tiger, 'drug = "ketamine"', 'drug = "ketamin"', ["[[dose]] 1", "'ketamin'", "did you mean 'ketamine'"]),
        (tiger, "mg_per_kg = { value = 0.5", "mg_per_kg = { value = -0.5", ["[[dose]] 1", "-0.5", "0 is saline"]),
        (tiger, "mg_per_kg = { value = 0.5", 'mg_per_kg = { value = "0.5"', ["[dose] 1", "'0.5'", "number"]),
        (
            tiger,
            "mg_per_kg = { value = 0.5",
            "mg_per_kg = { value = 500.0",
            ["[[dose]] 1", "= 500", "100 at most", "mg for"],
        ),
        (
            tiger,
            "minutes = { value = 40.0",
            "minutes = { value = 1e9",
            ["[[dose]] 1, minutes = 1e+09", "10080 at most"],
        ),
        (
            tiger,
            "hours = { value = 168.0",
            "hours = { value = 1e9",
            ["[[dose]] 3, hours: 1e+09 h is more than ten years"],
        ),
        (
            tiger,
            "every = { value = 84.0",
            "every = { value = 1e5",
            ["[[dose]] 3, every: 300000 h is more than ten years"],
        ),
        (tiger, "high = 72.0", "high = 1e9", ["session 'post', hours: 1e+09 h is more than ten years"]),
        (
            tiger,
            'mg_per_kg = { value = 0.5, source = "tiger2020" }',
            "mg_per_kg = 0.5",
            ['[dose] 1, mg_per_kg = 0.5: it must be a table, { value = ..., source = "assumption" } or another source'],
        ),
        (tiger, "minutes = { value = 40.0", "minutes = { value = 0.0", ["[[dose]] 1", "minutes = 0", "1 for a bolus"]),
        (tiger, 'arm = "placebo"\n\n', 'arm = "plcebo"\n\n', ["[[dose]] 2", "plcebo", "did you mean 'placebo'"]),
        (tiger, 'arm = "placebo"\n\n', 'session = "pots"\n\n', ["[[dose]] 2", "pots", "did you mean 'post'"]),
        (tiger, 'arm = "placebo"\n\n', 'session = "post"\n\n', ["[[dose]] 2", "[symptoms]", "no session"]),
        (tiger, POST_HOURS, "", ["session 'post'", "no hours", "[[dose]] 1", "give hours"]),
        (tiger, "low = 24.0, high = 72.0", "low = 72.0, high = 24.0", ["[session] 2, hours", "72", "24", "exchange"]),
        (tiger, "low = 24.0, high = 72.0", "high = 72.0", ["[session] 2, hours.low", "missing"]),
        (tiger, 'high = 72.0, source = "tiger2020"', 'high = 72.0, source = "tiger20"', ["session 'post'", "tiger20"]),
        (tiger, "every = { value = 84.0", "every = { value = 0.0", ["[[dose]] 3", "repeat = 4", "every"]),
        (tiger, "repeat = 4", "repeat = 1", ["[[dose]] 3", "every = 84", "not repeated"]),
        (tiger, "repeat = 4", "repeat = 0", ["[dose] 3", "repeat", "0"]),
        (tiger, "[symptoms]", '[mechanism]\npharmacokinetics = "fanta"\n[symptoms]', ["'fanta'", "'fanta2015'"]),
        (
            tiger,
            "[symptoms]",
            "[mechanism.constants]\nblock = { value = 1.0, source = 'assumption' }\n[symptoms]",
            ["[mechanism.constants]", "'block'", "or 'block_ic50'"],
        ),
        (
            tiger,
            "[symptoms]",
            "[mechanism.constants]\nblock_ic50 = { value = 0.0, source = 'assumption' }\n[symptoms]",
            ["[mechanism.constants]", "block_ic50 = 0", "more than 0"],
        ),
        (
            tiger,
            "[symptoms]",
            "[mechanism.constants]\nsert_block = { value = 1.5, source = 'assumption' }\n[symptoms]",
            ["sert_block = 1.5", "between 0 and 1"],
        ),
        (
            tiger,
            "[symptoms]",
            "[symptoms.constants]\nseverity_binding = { value = 2, source = 'assumption' }\n[symptoms]",
            ["severity_binding = 2", "between -1 and 1"],
        ),
        (
            tiger,
            'region = "ventral striatum"',
            'region = "ventral striatm"',
            ["[symptoms] region", "'ventral striatum'"],
        ),
        (tiger, '[symptoms]\ntracer = "AZ10419369"', '[symptoms]\ntracer = "DASB"', ["[symptoms] tracer", "DASB"]),
        (tiger, 'label = "post"\nsession = "post"', 'label = "post"', ["visit 'post'", "either the session"]),
        (tiger, 'label = "post"\nsession = "post"', 'label = "post"\nsession = "p"', ["visit 'post'", "'p'", "post"]),
        (tiger, 'label = "post"\nsession = "post"', 'label = "baseline"\nsession = "post"', ["[[visit]]", "twice"]),
        (tiger, "low = 444.0, high = 444.0", "low = 4.0, high = 444.0", ["visit 'open'", "4 h", "order visits"]),
        (tiger, 'before = "open"', 'before = "opne"', ["[dropout] before", "opne", "did you mean 'open'"]),
        (tiger, "one_of = 30", "one_of = 0", ["[dropout]", "one_of", "0"]),
        (
            tiger,
            '[dropout]\none_of = 30\nbefore = "open"\nsource = "tiger2020"',
            '[dropout]\none_of = 30\nbefore = "open"\nsource = "tiger2002"',
            ["[dropout], source", "tiger2002"],
        ),
        (macaques, SCAN_HOURS, "", ["session 'ketamine'", "no hours", "[[dose]] 1"]),
        (macaques, 'drug = "NBQX"', 'drug = "NBQXX"', ["[[dose]] 2", "did you mean 'NBQX'"]),
        (
            macaques,
            'condition = "ketamine"\n\n[[dose]]',
            'condition = "ketamin"\n\n[[dose]]',
            ["[[dose]] 1", "ketamin"],
        ),
        (
            macaques,
            'condition = "ketamine"\n\n[[dose]]',
            'session = "ketamine"\nhours = { value = 9, source = "assumption" }\n\n[[dose]]',
            ["[[dose]] 1", "hours = 9", "after session 'ketamine'", "3 to 3 h"],
        ),
        (macaques, 'condition = "ketamine"\nhours', 'condition = "control"\nhours', ["[[dose]] 1", "no session"]),
        (macaques, "[regions]", '[[visit]]\nlabel = "a"\nsession = "ketamine"\n[regions]', ["[[visit]]", "[symptoms]"]),
    ],
)
def test_faulty_doses_times_and_ratings_are_refused(
    text: Callable[[], str], old: str, new: str, words: list[str]
) -> None:
    check_refused(text(), old, new, words)


def test_a_mechanism_that_nothing_sets_going_is_refused() -> None:
    text = find_plan("test-retest").text
    check_refused(text, "[noise]", '[mechanism]\npharmacokinetics = "fanta2015"\n[noise]', ["[mechanism]", "[[dose]]"])
    visit = '[[visit]]\nlabel = "a"\nhours = { low = 0, high = 0, source = "assumption" }\n'
    symptoms = '[symptoms]\ntracer = "DASB"\nregion = "caudate"\n'
    check_refused(text, "[noise]", f"{symptoms}[noise]", ["[symptoms]", "[[visit]]"])
    check_refused(text, "[noise]", f"{symptoms}{visit}[noise]", ["[symptoms]", "[[dose]]"])


def check_refused(text: str, old: str, new: str, words: list[str]) -> None:
    """The plan with ``new`` for the first ``old`` gives one paragraph that holds all ``words``."""
    assert old in text
    with pytest.raises(PlanError) as caught:
        understood(text.replace(old, new, 1))
    message = str(caught.value)
    assert message.startswith("study.toml: ")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_a_plan_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(PlanError, match="did you mean 'tiger2020'"):
        find_plan("tiger2002")


def test_a_plan_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(b"\xef\xbb\xbf" + tiger().replace("\n", "\r\n").encode())
    assert understood(find_plan(path).text) == understood(tiger())
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PlanError, match="UTF-8"):
        find_plan(path)

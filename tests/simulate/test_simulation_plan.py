from pathlib import Path

import pytest

from raphe.errors import PlanError
from raphe.pipeline.plan import read_plan
from raphe.simulate.dataset import study_plan
from raphe.simulate.plan import PlanText, SimulationPlan, embedded_plans, find_plan, parse_plan
from raphe.simulate.plan_rules import check_rules


def understood(text: str) -> SimulationPlan:
    plan = parse_plan(PlanText("study.toml", text))
    check_rules(plan, "study.toml")
    return plan


def tiger() -> str:
    return find_plan("tiger2020").text


def test_the_plans_that_come_with_raphe() -> None:
    assert set(embedded_plans()) == {"test-retest", "tiger2020", "yamanaka2014"}


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
    assert "effect" not in path.read_text(encoding="utf-8")


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
        ('session = "post"', 'session = "after"', ["[[effect]] 3", "after", "baseline"]),
        ('arm = "ketamine"', 'arm = "esketamine"', ["[[effect]] 3", "esketamine", "did you mean 'ketamine'"]),
        ("value = 16.7", "value = -100.0", ["[[effect]] 3", "-100"]),
        ("value = 16.7", "value = nan", ["[effect] 3", "finite"]),
        ('value = 16.7, source = "tiger2020"', "value = 16.7", ["[effect] 3", "source", "missing"]),
        ('value = 16.7, source = "tiger2020"', 'value = 16.7, source = "tiger2021"', ["tiger2021", "did you mean"]),
        ("percent = { value = 21.0", "percent = { value = -21.0", ["[[test_retest]] 1", "-21"]),
        ("percent = { value = 2.0", "percent = { value = -2.0", ["[noise]", "-2"]),
        ("between = { value = 0.5", "between = { value = 1.5", ["[variability]", "1.5"]),
        ('label = "post"', 'label = "post-1"', ["[session] 2", "post-1"]),
        ('label = "post"', 'label = "baseline"', ["[[session]]", "baseline", "twice"]),
        ('terms = ["baseline", "post"]', 'terms = ["baseline", "pots"]', ["pots", "did you mean 'post'"]),
        ('terms = ["baseline", "post"]', 'terms = ["post", "post"]', ["with itself"]),
        ('terms = ["baseline", "post"]', 'terms = ["baseline"]', ["terms", "[contrast] 1"]),
        ('contrast = "after treatment"', 'contrast = "treatment"', ["[primary] contrast", "after treatment"]),
        ("[noise]", "[niose]", ["niose", "did you mean 'noise'"]),
        ("[noise]", "[noise", ["TOML"]),
    ],
)
def test_a_faulty_plan_is_refused_with_the_key_the_value_and_the_way_out(old: str, new: str, words: list[str]) -> None:
    text = tiger()
    assert old in text
    with pytest.raises(PlanError) as caught:
        understood(text.replace(old, new))
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

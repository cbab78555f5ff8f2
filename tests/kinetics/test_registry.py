import sys
from textwrap import dedent

import pytest

from raphe.errors import ModelError
from raphe.kinetics import models, registry
from raphe.kinetics.models.mrtm1 import MRTM1
from raphe.kinetics.models.srtm import SRTM


def test_the_models_of_this_program_are_there():
    assert {"SRTM", "SRTM2", "MRTM1", "MRTM2", "LoganRef"} <= set(registry.names())
    assert list(registry.names()) == sorted(registry.names())


@pytest.mark.parametrize("name", ["SRTM", "srtm", "Srtm"])
def test_any_case_will_do(name):
    assert registry.model_type(name) is SRTM


@pytest.mark.parametrize("name", ["MRTM", "mrtm", "mrtm1"])
def test_mrtm_is_accepted_for_mrtm1(name):
    assert registry.model_type(name) is MRTM1


@pytest.mark.parametrize(("typed", "meant"), [("SRTM3", "SRTM"), ("loganreff", "LoganRef"), ("MRMT2", "MRTM2")])
def test_an_unknown_name_brings_the_nearest(typed, meant):
    with pytest.raises(ModelError, match=f"no kinetic model '{typed}'; did you mean {meant}") as caught:
        registry.make(typed)
    assert all(name in str(caught.value) for name in registry.names())


def test_a_name_like_none_brings_the_list_alone():
    with pytest.raises(ModelError, match="no kinetic model 'xyz'; The models are"):
        registry.model_type("xyz")


def test_assumptions_reach_the_model_and_none_is_not_given():
    assert registry.make("MRTM2", k2_prime=0.07, t_star=None).k2_prime == 0.07
    assert registry.make("LoganRef", k2_prime=None).k2_prime is None
    assert registry.make("LoganRef", t_star=12.0).t_star == 12


def test_an_assumption_that_the_model_does_not_take_is_refused():
    with pytest.raises(ModelError, match=r"SRTM has no k2_prime, but k2_prime = 0.06 was given"):
        registry.make("SRTM", k2_prime=0.06)


def test_no_two_models_answer_to_one_name():
    words = [
        word.lower()
        for example in registry.examples().values()
        for word in (example.model.name, *example.model.aliases)
    ]
    assert len(words) == len(set(words))


@pytest.fixture
def another_model(tmp_path, monkeypatch):
    (tmp_path / "halved.py").write_text(
        dedent("""
        from dataclasses import dataclass
        from typing import ClassVar
        from raphe.kinetics.models.srtm import SRTM
        from raphe.kinetics.protocol import Example

        @dataclass(frozen=True)
        class Halved(SRTM):
            name: ClassVar[str] = "Halved"

        EXAMPLE = Example(Halved(), {"R1": 1.0, "k2_prime": 0.1, "BP_ND": 1.0}, tolerance=1e-3)
        """)
    )
    monkeypatch.setattr(models, "__path__", [*models.__path__, str(tmp_path)])
    registry.examples.cache_clear()
    yield "Halved"
    registry.examples.cache_clear()
    sys.modules.pop(f"{models.__name__}.halved", None)


def test_a_model_is_found_by_its_file_being_there(another_model):
    assert another_model in registry.names()
    assert registry.make(another_model.lower()).name == another_model

import re
import tomllib
from pathlib import Path

import pytest

from raphe.catalog import Quantity
from raphe.errors import PlanError
from raphe.simulate.constants import Constants, drugs, mechanism_file, with_changes
from raphe.simulate.constants_table import constants_table
from raphe.simulate.plan import DoseSection, MechanismSection, SessionSection

PAGE = Path(__file__).parents[2] / "docs" / "mechanism.md"


def test_the_page_has_every_constant_as_it_is() -> None:
    assert PAGE.read_text(encoding="utf-8").endswith(constants_table())


def test_the_sections_that_the_page_shows_are_understood() -> None:
    (text,) = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    told = tomllib.loads(text)
    assert DoseSection.model_validate(told["dose"][0]).drug in drugs()
    assert SessionSection.model_validate(told["session"][0]).hours is not None
    section = MechanismSection.model_validate(told["mechanism"])
    assert section.pharmacokinetics in mechanism_file().ketamine
    assert with_changes(mechanism_file().constants, section.constants, "page").plasticity_time.value == 60


@pytest.mark.parametrize("name", sorted(Constants.model_fields))
def test_a_negative_constant_is_refused(name: str) -> None:
    changes = {name: Quantity.model_validate({"value": -1.0, "source": "assumption"})}
    with pytest.raises(PlanError, match=f"{name} = -1"):
        with_changes(mechanism_file().constants, changes, "test")

"""Keys of pharmacology in a plan: what goes together, and how a fault is told."""

import pytest

from raphe.errors import PlanError
from raphe.pipeline.plan import read_plan

HEAD = '[[tracer]]\nname = "DASB"\nmodel = "SRTM"\n\n[[arm]]\nname = "placebo"\n\n[[arm]]\nname = "drug"\n\n'
FOUR = 'kind = "displacement"\nterms = ["a", "b", "c", "d"]\n'
PAIR = 'kind = "displacement"\nterms = ["a", "b"]\n'
OCCUPANCY = 'kind = "occupancy"\nterms = ["a", "b"]\n'
GROUPS = 'kind = "groups"\nterms = ["placebo", "drug"]\n'
FIRST = 12
"""Line of the key ``name`` of the contrast."""


def plan(tmp_path, text):
    path = tmp_path / "raphe.toml"
    path.write_text(f'{HEAD}[[contrast]]\nname = "c"\n{text}', encoding="utf-8")
    return read_plan(path)


@pytest.mark.parametrize(
    "text",
    [
        'terms = ["a", "b"]\nflow_margin = 1.2\n',
        GROUPS + 'sessions = ["a", "b"]\nflow_margin = 1.2\n',
        PAIR,
        PAIR + "theta0 = 0.1\n",
        PAIR + "theta0 = 0.1\ntheta0_range = [0.05, 0.2]\n",
        FOUR + 'design = "release"\n',
        FOUR + 'design = "depletion"\narm = "drug"\n',
        OCCUPANCY + 'exposure = "dose"\nexposure_unit = "mg"\nexposure_kind = "concentration"\nmissing = "exclude"\n',
        OCCUPANCY + 'exposure = "dose"\nE_max = "fit"\nhill = 1.5\n',
        OCCUPANCY + 'exposure = "dose"\nE_max = 1\n',
    ],
)
def test_what_goes_together_is_read(tmp_path, text):
    assert plan(tmp_path, text).contrasts[0].name == "c"


FAULTS = {
    "one session": (
        PAIR.replace(', "b"', ""),
        14,
        "terms has 1 term(s); a displacement contrast has two",
    ),
    "three sessions": (FOUR.replace(', "d"', ""), 14, "terms has 3 term(s)"),
    "no design": (FOUR, 14, 'design = "release" (terms: baseline, drug, releaser, and releaser with the drug)'),
    "design of two": (PAIR + 'design = "depletion"\n', 15, "needs four sessions in terms: baseline, drug, depleted"),
    "unknown design": (FOUR + 'design = "releaser"\n', 15, "did you mean 'release'"),
    "theta0 too high": (PAIR + "theta0 = 1.2\n", 15, "it must be less than 1"),
    "theta0 of 0": (PAIR + "theta0 = 0.0\n", 15, "it must be greater than 0"),
    "theta0 beside its range": (
        PAIR + "theta0 = 0.3\ntheta0_range = [0.05, 0.2]\n",
        16,
        "not within its own",
    ),
    "range alone": (PAIR + "theta0_range = [0.05, 0.2]\n", 15, "stands without theta0"),
    "range of one": (PAIR + "theta0 = 0.1\ntheta0_range = [0.05]\n", 16, "a list of two shares"),
    "theta0 with a design": (FOUR + 'design = "depletion"\ntheta0 = 0.1\n', 16, "finds theta0 itself"),
    "theta0 of a paired": ('terms = ["a", "b"]\ntheta0 = 0.1\n', 14, "has no key 'theta0'"),
    "V_T": (PAIR + 'parameter = "R1"\n', 15, "found from BP_ND"),
    "permutation": (PAIR + 'test = "permutation"\n', 15, "has no key 'test'"),
    "margin of 1": ('terms = ["a", "b"]\nflow_margin = 1.0\n', 14, "it must be greater than 1"),
    "margin in per cent": ('terms = ["a", "b"]\nflow_margin = "10 %"\n', 14, "it must be a number"),
    "margin of R1": ('terms = ["a", "b"]\nparameter = "R1"\nflow_margin = 1.2\n', 15, "changes of BP_ND"),
    "margin of one session": (GROUPS + 'sessions = ["a"]\nflow_margin = 1.2\n', 16, "between two sessions"),
    "unit alone": (OCCUPANCY + 'exposure_unit = "mg"\n', 15, "add exposure = a column of participants.tsv"),
    "missing alone": (OCCUPANCY + 'missing = "exclude"\n', 15, "missing is of occupancy against exposure"),
    "E_max of 0": (OCCUPANCY + 'exposure = "dose"\nE_max = 0\n', 16, 'it must be "fit", or a number above 0.01'),
    "hill in words": (OCCUPANCY + 'exposure = "dose"\nhill = "free"\n', 16, 'it must be "fit"'),
    "no exposure": (OCCUPANCY + 'exposure = " "\n', 15, "must not be empty"),
    "exposure of a paired": ('terms = ["a", "b"]\nexposure = "dose"\n', 14, "has no key 'exposure'"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_does_not_is_refused_with_its_line(tmp_path, case):
    text, line, told = FAULTS[case]
    with pytest.raises(PlanError) as caught:
        plan(tmp_path, text)
    assert f"line {line}:" in str(caught.value)
    assert told in str(caught.value)

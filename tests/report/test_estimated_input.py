"""An input that was estimated from the tissue, as the page of its scan shows it."""

import dataclasses

import numpy as np
import pytest

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput, Samples
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.quality import Quality
from raphe.report.scan import scan_page

GOOD = int(Quality.GOOD)
TIME = np.linspace(0, 90, 200)
CURVE = PiecewiseLinear(TIME, 90 * TIME * np.exp(-TIME) + 5 * (1 - np.exp(-TIME)))


@pytest.fixture
def page(make_tissue_fit):
    def make(samples, plasma=None, *, estimated=True, V_B=0.05, steps=()):
        fit = make_tissue_fit("SIMEAIF", {"putamen": (2.0, 0.1, GOOD)}, inputs={"V_B": V_B})
        fit = dataclasses.replace(fit, estimated_input=CURVE if estimated else None)
        other = make_tissue_fit("2TCM", {"putamen": (2.0, 0.1, GOOD)})
        return scan_page(
            Scan("01", None, (), "DASB", "C11"), [fit] if plasma is None else [fit, other], samples=samples,
            plasma=plasma, steps=steps, versions={}, citations={}, command_line="",
        )  # fmt: skip

    return make


def test_section_is_well_formed_and_says_what_the_input_rests_on(page, read):
    found = read(page(Samples([40.0, 60.0], [4.8, 5.1])))
    assert found.loads() == []
    assert len(found.ids) == len(set(found.ids))
    assert "#estimated-input" in {value for _, name, value in found.attributes if name == "href"}
    for words in (
        "Input estimated from the tissue, not measured",
        "Scale from 2 samples of the parent in plasma at 40 and 60 min",
        "The uncertainty of VT includes that of the estimated input",
        "Blood in the tissue VB 0.05, assumed",
        "It was not measured; only the samples that are shown were.",
    ):
        assert words in found.text


def test_what_the_standard_error_supposes_is_told(page, read):
    step = Step("fit", {"model": "SIMEAIF", "form_error": 0.3, "V_B_error": 0.03, "sample_error": 0.03})
    text = read(page(Samples([40.0], [4.8]), steps=(step,))).text
    assert (
        "Assumed in the SE of VT 30 % of VT for the form of the input, in all regions alike; 3 % of the tissue" in text
    )
    assert "3 % of a sample" in text
    assert "Assumed in the SE" not in read(page(Samples([40.0], [4.8]))).text


def test_samples_are_dots_on_the_curve(page):
    section = page(Samples([40.0, 60.0], [4.8, 5.1])).split('id="estimated-input"')[1].split("</section>")[0]
    assert section.count('class="sample s0"') == 2
    assert section.count('class="curve s0"') == 2


def test_a_fit_without_an_estimated_input_has_no_section(page):
    assert 'id="estimated-input"' not in page(None, estimated=False)


def test_it_stands_beside_measured_blood(page, read):
    text = page(Samples([40.0], [4.8]), PlasmaInput(CURVE))
    assert text.index('id="blood"') < text.index('id="estimated-input"')
    assert "Input arterial plasma and estimated from the tissue (SIMEAIF)" in read(text).text

"""The blood of a scan as its page shows it."""

import re

import numpy as np
import pytest

from raphe.core.piecewise import PiecewiseLinear
from raphe.data.blood import PlasmaInput, Samples
from raphe.data.blood_fit import BloodFit, Candidate
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.quality import Quality
from raphe.report import blood_figures
from raphe.report.blood_figures import outline
from raphe.report.scan import scan_page

GOOD = int(Quality.GOOD)
END = 90.0
TIME = np.array([0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 88.0])
SOURCES = ("autosampler",) * 3 + ("manual",) * 5


def blood_fit(quantity, samples, curve, **more):
    known = {
        "label": "interpolation", "title": "straight lines between samples", "equation": "", "parameters": (),
        "units": (), "value": (), "se": (), "sigma": np.nan, "aicc": np.nan, "quality": 0, "candidates": (),
        "source": "", **more,
    }  # fmt: skip
    n = 0 if samples is None else len(samples)
    value = np.array(known["value"], dtype=float)
    return BloodFit(
        quantity, known["label"], known["title"], known["equation"], known["parameters"], known["units"], value,
        np.array(known["se"], dtype=float), np.zeros((value.size, value.size)), known["sigma"], known["aicc"],
        known["quality"], samples, np.ones(n), np.ones(n), curve, known["candidates"], known["source"],
    )  # fmt: skip


@pytest.fixture
def blood():
    """Parent, total plasma and whole blood, 6 s earlier in the tissue, and the fits behind them."""
    share = PiecewiseLinear([0.0, END], [1.0, 0.4])
    level = 40 * np.exp(-TIME / 4) + 2
    total = PiecewiseLinear([0.0, *TIME], [0.0, *level])
    parent = PiecewiseLinear([0.0, *TIME], [0.0, *(level * share(TIME))])
    whole = total.scaled(0.8)
    fits = (
        blood_fit(
            "parent_fraction",
            Samples([5.0, 10.0, 30.0, 60.0], share(np.array([5.0, 10.0, 30.0, 60.0]))),
            share,
            label="hill, start fitted",
            title="Hill function",
            equation="s(u) = 1 - (1 - a) u^b / (h^b + u^b)",
            parameters=("a", "h", "b", "start"),
            units=("unitless", "min", "unitless", "unitless"),
            value=(0.39, 20.41, 2.9, 1.0),
            se=(0.013, 1.12, 3.3, np.nan),
            sigma=0.0134,
            candidates=(
                Candidate("hill, start fitted", 4, -31.2, 0.83, 0),
                Candidate("power", 3, -28.0, 0.17, 0),
                Candidate("biexponential", 5, np.nan, 0.0, int(Quality.BAD_INPUT)),
            ),
        ),
        blood_fit("parent", Samples(TIME, level * share(TIME), SOURCES), parent),
        blood_fit("whole_blood", Samples(TIME, 0.8 * level, SOURCES), whole),
    )
    plasma = PlasmaInput(parent, whole, total, share).shifted(-0.1)
    steps = (
        Step("blood_read", {"recordings": ("manual", "autosampler"), "n_plasma": 8, "format": "BIDS"}),
        Step("delay", {"value": -0.1, "se": 0.0211, "low": -0.75, "high": 1.5}),
    )
    return plasma, fits, steps


@pytest.fixture
def page(make_tissue_fit):
    def make(plasma, fits, steps, **options):
        settings = {"versions": {}, "citations": {}, "command_line": "", **options}
        fit = make_tissue_fit("1TCM", {"putamen": (2.0, 0.1, GOOD)})
        return scan_page(
            Scan("01", None, (), "MC1", "C11"), [fit], arterial=fits, plasma=plasma, steps=steps, **settings
        )

    return make


def test_section_is_well_formed_and_the_same_each_time(page, blood, read):
    text = page(*blood)
    found = read(text)
    assert found.loads() == []
    assert len(found.ids) == len(set(found.ids))
    assert "#blood" in {value for _, name, value in found.attributes if name == "href"}
    assert text == page(*blood)


def test_no_blood_no_section(page, blood):
    assert 'id="blood"' not in page(None, (), ())


def test_facts_of_the_blood(page, blood, read):
    text = read(page(*blood)).text
    for expected in (
        "Input made of the samples",
        "Samples of parent fraction 4 manual",
        "Samples of plasma 3 by autosampler and 5 manual",
        "Samples of whole blood 3 by autosampler and 5 manual",
        "Parent fraction at the end of the scan 0.40",
        "Delay of the blood \N{MINUS SIGN}6.0 ± 1.3 s, found over the scan",
        "stand 6 s earlier than the blood was sampled",
    ):
        assert expected in text


def test_manual_samples_are_dots_and_those_of_the_autosampler_points(page, blood):
    drawing = page(*blood).split('id="blood"')[1].split("</figure>")[0]
    early, whole = drawing.split("</svg>")[:2]
    assert early.count('class="sample s0"') == 1  # at 5 min, 6 s earlier; the others are later
    assert whole.count('class="sample s0"') == whole.count('class="sample s1"') == whole.count('class="sample s3"') == 5
    points = re.search(r'class="tick s0" d="([^"]*)"', early)[1]
    assert points.count("h0") == 3
    assert "parent in plasma, 294 s" in early


def test_samples_of_total_plasma_lie_on_its_curve(page, blood):
    plasma, fits, steps = blood
    level = plasma.plasma(TIME[4:] - 0.1)
    whole = page(plasma, fits, steps).split('id="blood"')[1].split("</svg>")[1]
    told = re.findall(r"plasma, parent and metabolites, [\d.]+ s: ([\d.]+)", whole)
    assert [float(value) for value in told][1:] == pytest.approx(list(level), rel=1e-3)


def test_model_of_the_fraction_with_its_equation_and_errors(page, blood, read):
    text = page(*blood)
    found = read(text).text
    assert "Hill function (hill, start fitted) : lowest AICc of 3 models (Akaike weight 0.83); 4 manual samples." in (
        found.replace("):", ") :")
    )
    assert (
        "f(t) = start s(u), u = t, s(u) = 1 \N{MINUS SIGN} (1 \N{MINUS SIGN} a) u<sup>b</sup> / (h<sup>b</sup>" in text
    )
    assert "h 20.4 ± 1.1 min" in found
    assert "start 1.000 n/a" in found
    assert re.search(r'<td class="val unsure">2.9</td><td class="se unsure">± 3.3</td>', text)
    assert "3 models tried" in found
    assert "biexponential 5 \N{EN DASH} \N{EN DASH} too few samples" in found


def test_flags_of_the_blood_are_told_in_words(page, blood, read):
    plasma, _, steps = blood
    flagged = blood_fit("parent_fraction", Samples([5.0], [0.8]), plasma.parent_fraction, quality=int(Quality.AT_BOUND))
    assert "a parameter ended at a bound of its search" in read(page(plasma, (flagged,), steps)).text


def test_an_input_that_was_given_has_curves_and_no_samples(page, blood, read):
    plasma, _, _ = blood
    steps = (Step("input_read", {"parent": "metabolite-corrected plasma of the file", "format": "kinfitr"}),)
    text = page(plasma, (), (*steps, Step("delay", {"value": 0.0, "source": "default"})))
    found = read(text).text
    assert "Input as given: metabolite-corrected plasma of the file" in found
    assert 'class="sample' not in text
    assert "than the blood was sampled" not in found


def test_a_given_model_says_where_it_comes_from(page, blood, read):
    plasma, fits, steps = blood
    given = blood_fit(
        "parent_fraction", None, plasma.parent_fraction, title="Hill function", label="hill", parameters=("a",),
        units=("unitless",), value=(0.4,), se=(np.nan,), source="Somebody 2001",
    )  # fmt: skip
    text = read(page(plasma, (given, *fits[1:]), steps)).text
    assert "given, not fitted (source: Somebody 2001)" in text
    assert "a 0.400 given" in text


def test_names_from_outside_are_only_text(page, blood, read):
    plasma, fits, steps = blood
    hostile = "<script>alert(1)</script>"
    bad = blood_fit(
        "parent_fraction", fits[0].samples, plasma.parent_fraction, title=hostile, label=hostile, equation=hostile,
        parameters=(hostile,), units=(hostile,), value=(1.0,), se=(0.1,),
        candidates=(Candidate(hostile, 1, 1.0, 1.0, 0),),
    )  # fmt: skip
    assert read(page(plasma, (bad, *fits[1:]), steps)).tags.count("script") == 1


def test_blood_that_ends_early_is_told(page, blood, read):
    plasma, fits, steps = blood
    text = read(page(plasma, fits, (*steps, Step("blood_cut", {"n_frames": 9, "end": 67.5})))).text
    assert "The blood covers the first 9 frames only" in text


def test_a_curve_of_many_knots_is_drawn_by_few_points_and_keeps_its_peak():
    time = np.linspace(0, 90, 5000)
    curve = PiecewiseLinear(time, np.exp(-(((time - 1.234) / 0.05) ** 2)))
    x, y = outline(curve, 0.0, 90.0)
    assert len(x) <= 402
    assert y.max() == pytest.approx(curve.value.max())


def test_a_sample_that_was_drawn_as_the_scan_ended_is_seen():
    """A last sample at 90.03 min of a scan of 90 was left out of the figure, though the curve was fitted to it."""
    curve = PiecewiseLinear(np.array([0.0, 90.0]), np.array([1.0, 0.4]))
    samples = Samples(np.array([0.0, 30.0, 90.03, 120.0]), np.array([1.0, 0.7, 0.5, 0.3]), ("manual",) * 4)
    drawing = str(blood_figures.share_figure(curve, samples, 90.0, "parent fraction", whole=True))
    places = [float(x) for x in re.findall(r'<circle[^>]*cx="([\d.]+)"', drawing)]
    assert len(places) == 3
    assert max(places) <= blood_figures.SIZE[0] - 9

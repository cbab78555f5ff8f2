"""Whether the intervals cover the truth, over a thousand noisy repeats with a fixed seed.

The share of a thousand intervals that cover, where each does with 0.95, has a standard deviation of 0.007. The intended
band of 93-97 % is therefore asked of what several such sets give together, and each set alone may stray from it by two
of those deviations.
"""

import numpy as np
import pytest
from scipy import stats

from raphe.kinetics import registry
from raphe.kinetics.fit import fit

N_REPEAT = 1000
BAND = (0.93, 0.97)
CHANCE = 2 * np.sqrt(0.95 * 0.05 / N_REPEAT)
K2_PRIME, DELAY, R1 = 0.1, 0.2, 1.1
BP_ND = (0.5, 1.5, 4.0)


def interval(name, known, frames, kind, bp_nd, seed, weights="decay"):
    """Estimates, standard errors and half-widths of the 95 % intervals of the repeats."""
    subject = known.Subject(frames, K2_PRIME, DELAY)
    clean = subject.target(R1, bp_nd)
    sd = known.noise_sd(clean, frames, known.half_life, 0.03, kind)
    curves = clean + sd * np.random.default_rng(seed).normal(size=(N_REPEAT, len(frames)))
    model = known.model(name, K2_PRIME)
    found, _ = fit(
        model, known.table(curves, frames), reference=subject.reference, half_life=known.half_life, weights=weights
    )
    assert found.usable.all()
    value, se = found.of("BP_ND")
    return value, se, se * stats.t.ppf(0.975, found.n_frames - model.n_free)


@pytest.mark.parametrize("name", ["SRTM", "MRTM1", "MRTM2", "SRTM2"])
@pytest.mark.parametrize(
    ("schedule", "kind", "weights"),
    [("frames_38", "decay", "decay"), ("frames_36", "relative", "decay"), ("frames_36", "decay", "uniform")],
)
def test_intervals_cover_the_truth_whether_or_not_the_weights_are_the_true_ones(name, schedule, kind, weights, known):
    covered = []
    for seed, bp_nd in enumerate(BP_ND):
        value, _, half = interval(name, known, getattr(known, schedule), kind, bp_nd, seed, weights)
        covered.append(np.mean(np.abs(value - bp_nd) < half))
    assert BAND[0] - CHANCE < min(covered)
    assert max(covered) < BAND[1] + CHANCE
    assert BAND[0] < np.mean(covered) < BAND[1]


@pytest.mark.parametrize("name", ["SRTM", "MRTM2", "SRTM2"])
def test_noise_of_three_per_cent_leaves_no_bias(name, known):
    """The mean of a thousand is known to a thirtieth of their scatter; SRTM is skewed by less than 1 %."""
    value, se, _ = interval(name, known, known.frames_38, "decay", 1.5, 9)
    assert np.mean(value) == pytest.approx(1.5, rel=0.01)
    assert np.sqrt(np.mean(se**2)) == pytest.approx(np.std(value), rel=0.12)


CURVED = ("FRTM", "lpntPET")
"""Models whose parameters are far from linear in the data even at 1 % noise; they have tests of their own."""

SINGLE = [name for name, example in registry.examples().items() if not getattr(example.model, "joint", False)]
"""Models that fit each curve by itself, so that a thousand repeats can be fitted at once."""


@pytest.mark.parametrize("name", [name for name in SINGLE if name not in CURVED])
def test_standard_error_of_every_parameter_is_its_scatter(name, known):
    """At 1 % noise, where all are nearly linear; a standard deviation of a thousand is known to 2 %.

    HC3 errs to the wide by about the mean leverage, which is much where few frames are fitted.
    """
    example = registry.examples()[name]
    subject = known.subject(example, delay=DELAY)
    frames, clean = subject.frames, subject.of(example.truth)
    sd = known.noise_sd(clean, frames, known.half_life, 0.01, "decay")
    curves = clean + sd * np.random.default_rng(33).normal(size=(N_REPEAT, len(frames)))
    given = known.behind(example.model, subject)
    found, _ = fit(example.model, known.table(curves, frames), half_life=known.half_life, **given)
    leverage = example.model.n_free / found.n_frames[0]
    for parameter in found.parameters:
        value, se = found.of(parameter)
        assert 0.85 < np.sqrt(np.mean(se**2)) / np.std(value) < 1.15 / np.sqrt(1 - leverage), parameter


def test_logan_is_low_with_noise_and_its_standard_error_does_not_say_so(known):
    """As its documentation has it; the reason to prefer another model for a noisy curve."""
    frames = known.frames_38
    subject = known.Subject(frames, 0.06, DELAY)
    clean = subject.target(1.0, 4.0)
    sd = known.noise_sd(clean, frames, known.half_life, 0.1, "decay")
    curves = clean + sd * np.random.default_rng(1).normal(size=(300, len(frames)))
    means = {}
    for name in ("LoganRef", "MRTM2"):
        found, _ = fit(
            known.model(name, 0.06), known.table(curves, frames), reference=subject.reference, half_life=known.half_life
        )
        means[name] = found.of("BP_ND")[0][found.usable].mean()
    assert means["LoganRef"] < 0.85 * 4
    assert means["MRTM2"] == pytest.approx(4, rel=0.05)


def test_uncertainty_of_k2_prime_is_part_of_the_standard_error(known):
    """With k2' drawn from its own distribution the intervals cover only if its error is handed on."""
    frames, bp_nd, relative_se = known.frames_38, 2.0, 0.08
    subject = known.Subject(frames, 0.06, DELAY)
    clean = subject.target(1.0, bp_nd)
    rng = np.random.default_rng(21)
    sd = known.noise_sd(clean, frames, known.half_life, 0.03, "decay")
    covered = {"with": [], "without": []}
    for _ in range(60):
        k2_prime = 0.06 * np.exp(relative_se * rng.normal())
        curves = known.table(clean + sd * rng.normal(size=(10, len(frames))), frames)
        for key, given in (("with", {"k2_prime": relative_se * k2_prime}), ("without", None)):
            found, _ = fit(
                known.model("MRTM2", k2_prime),
                curves,
                reference=subject.reference,
                half_life=known.half_life,
                input_se=given,
            )
            value, se = found.of("BP_ND")
            covered[key].append(np.mean(np.abs(value - bp_nd) < stats.t.ppf(0.975, len(frames) - 2) * se))
    assert 0.88 < np.mean(covered["with"]) <= 1  # sixty draws of k2': SD 0.03
    assert np.mean(covered["without"]) < 0.85

"""Error of BP_ND from noise-free frame averages of exact curves, and a check of the curves by an ODE solver."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from raphe.kinetics.fit import fit

BP_ND = np.array([0.2, 0.35, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
K2_PRIME = (0.05, 0.06, 0.1, 0.13, 0.17)
R1 = (0.8, 1.0, 1.3)
DELAY = (0.0, 0.3, 0.8)

MODELS = ("SRTM", "SRTM2", "MRTM1", "MRTM2", "LoganRef")
MEDIAN, WORST = 0.001, 0.005


def test_the_truth_is_that_of_an_ode_solver(known):
    subject = known.Subject(known.frames_36, k2_prime=0.07, delay=0.4)
    K1, k2 = 0.33, 0.03

    def slope(t, y):
        return [K1 * subject.plasma(np.array(t)) - k2 * y[0], y[0]]

    edges = np.append(subject.frames.start, subject.frames.end[-1])
    late = edges[edges > subject.delay]
    solved = solve_ivp(
        slope, (subject.delay, late[-1]), [0.0, 0.0], "DOP853", np.append(subject.delay, late), rtol=1e-10, atol=1e-10
    )
    area = np.concatenate([np.zeros((edges <= subject.delay).sum()), solved.y[1, 1:]])
    np.testing.assert_allclose(subject.averages(K1, k2), np.diff(area) / subject.frames.duration, rtol=1e-7, atol=1e-8)


def errors(name, frames, known, convention="average"):
    """Relative errors of BP_ND over all tissues."""
    found = []
    for k2_prime in K2_PRIME:
        for delay in DELAY:
            subject = known.Subject(frames, k2_prime, delay)
            curves = np.array([subject.target(r, bp) for r in R1 for bp in BP_ND])
            result, _ = fit(
                known.model(name, k2_prime),
                known.table(curves, frames),
                reference=subject.reference,
                half_life=known.half_life,
                convention=convention,
            )
            assert result.usable.all()
            found.append(result.of("BP_ND")[0] / np.tile(BP_ND, len(R1)) - 1)
    return np.abs(np.concatenate(found))


@pytest.mark.parametrize("schedule", ["frames_38", "frames_36"])
@pytest.mark.parametrize("name", MODELS)
def test_frame_averages_of_the_continuous_model_are_fitted_exactly(name, schedule, known):
    error = errors(name, getattr(known, schedule), known)
    assert np.median(error) < MEDIAN
    assert error.max() < WORST


def test_values_at_mid_frame_are_the_coarser_convention(known):
    """The default is there because it is more exact: by ten times here."""
    exact, coarse = (errors("SRTM", known.frames_38, known, c) for c in ("average", "midframe"))
    assert np.median(coarse) > 10 * np.median(exact)
    assert coarse.max() < 0.02

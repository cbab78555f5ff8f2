r"""Integrals of curves that are drawn between their frames as two tissue compartments run there.

A curve's integrals are regressors of the multilinear equation
:math:`C = \gamma_1 \iint C_p + \gamma_2 \iint C + \gamma_3 \int C + \gamma_4 \int C_p`, and straight lines through the
frames leave them a few tenths of a per cent off where frames are long. The equation's own solution,
:math:`\sum_j A_j\, e^{r_j t} \otimes C_p` with the roots of :math:`r^2 - \gamma_3 r - \gamma_2`, has integrals in
closed form. So the curve is drawn as that solution, and only what the frames show besides it as straight lines.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.piecewise import PiecewiseLinear
from raphe.core.responses import RATES, responses
from raphe.core.sampling import Sampling

Array = npt.NDArray[np.float64]

SLOWEST = 1e-4
"""Rate, 1/min, below which the closed form of the double integral has too few digits."""

NEAR = 1e-4
"""Least distance of the two rates, as a share of the faster: nearer, their amplitudes have too few digits."""

MOST = 2.0
"""Highest value of a solution, as a share of the curve's, up to which the curve is drawn by it."""


def guided_integrals(sampling: Sampling, plasma: PiecewiseLinear, activity: Array, gamma: Array) -> tuple[Array, Array]:
    """What frames see of the integral and of the double integral of curves that are drawn by their solutions.

    Parameters
    ----------
    sampling : Sampling
    plasma : PiecewiseLinear, kBq/mL
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
    gamma : ndarray, shape (n_curve, 4)
        Of the equation. Where its solution is not one of two fading exponentials, or is not finite, the curve is drawn
        by straight lines alone.

    Returns
    -------
    ndarray, shape (n_curve, n_frame), kBq/mL min
    ndarray, shape (n_curve, n_frame), kBq/mL min2
    """
    g1, g2, g3, g4 = gamma.T
    with np.errstate(invalid="ignore", divide="ignore"):
        root = np.sqrt(g3**2 / 4 + g2)
        rate = np.stack([-g3 / 2 - root, -g3 / 2 + root], axis=-1)
        good = ((rate >= SLOWEST) & (rate <= RATES[1])).all(axis=1) & (2 * root > NEAR * rate[:, 1])
    rate = np.where(good[:, None], rate, np.ones(2))
    gap = np.where(good, rate[:, 1] - rate[:, 0], 1.0)
    amplitude = np.where(good, [g1 - g4 * rate[:, 0], g4 * rate[:, 1] - g1], 0.0) / gap
    seen, _ = responses(sampling, plasma).at(rate)
    once = (sampling.integrated(plasma) - seen) / rate[..., None]
    twice = (sampling.integrated_twice(plasma) - once) / rate[..., None]
    solution, area, double = ((amplitude.T[..., None] * part).sum(axis=1) for part in (seen, once, twice))
    close = np.abs(solution).max(axis=1) <= MOST * np.abs(activity).max(axis=1)
    solution, area, double = (np.where(close[:, None], part, 0.0) for part in (solution, area, double))
    rest = activity - solution
    return area + rest @ sampling.integral.T, double + rest @ sampling.double_integral.T

r"""Integrals of curves that are drawn between their frames as two tissue compartments run there.

A curve's integrals are regressors of the multilinear equation
:math:`C = \gamma_1 \iint C_p + \gamma_2 \iint C + \gamma_3 \int C + \gamma_4 \int C_p`, and straight lines through the
frames leave them a few tenths of a per cent off where frames are long. The equation's own solution,
:math:`\sum_j A_j\, e^{r_j t} \otimes C_p` with the roots of :math:`r^2 - \gamma_3 r - \gamma_2`, has integrals in
closed form. So the curve is drawn as that solution, and only what the frames show besides it as straight lines.
"""

from __future__ import annotations

from dataclasses import dataclass

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


@dataclass(frozen=True, eq=False)
class GuidedIntegrals:
    """What frames see of the integrals of curves that are drawn by their solutions.

    Parameters
    ----------
    area : ndarray, shape (n_curve, n_frame), kBq/mL min
        Of the curves' integrals.
    double : ndarray, shape (n_curve, n_frame), kBq/mL min2
        Of their double integrals.
    own_area, own_double : ndarray, shape (n_curve, n_frame)
        Of those of the solutions alone, which hold little of the frames' noise; 0 where there is none.
    told : ndarray of bool, shape (n_curve,)
        Where there is a usable solution.
    """

    area: Array
    double: Array
    own_area: Array
    own_double: Array
    told: npt.NDArray[np.bool_]


def guided_integrals(sampling: Sampling, plasma: PiecewiseLinear, activity: Array, gamma: Array) -> GuidedIntegrals:
    """Integrals of curves that are drawn by the solutions of the equation, and as straight lines besides.

    Parameters
    ----------
    sampling : Sampling
    plasma : PiecewiseLinear, kBq/mL
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
    gamma : ndarray, shape (n_curve, 4)
        Of the equation. Where its solution is not one of two fading exponentials, or is not finite, the curve is drawn
        by straight lines alone.
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
    told = good & (np.abs(solution).max(axis=1) <= MOST * np.abs(activity).max(axis=1))
    solution, area, double = (np.where(told[:, None], part, 0.0) for part in (solution, area, double))
    rest = activity - solution
    return GuidedIntegrals(
        area + rest @ sampling.integral.T, double + rest @ sampling.double_integral.T, area, double, told
    )

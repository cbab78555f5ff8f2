r"""Curves with a release, drawn between their frames as the model that was fitted runs there.

Straight lines through the frames of a curve miss what a release does within a frame, by up to half a per cent of the
displacement. The equation's own solution does not: with D = C - R1 C_R, it is that of
:math:`D' = -K D + (k_2 - R_1 K) C_R` with :math:`K = k_{2a} + \gamma h(t)`. So the curve is drawn as that solution, and
only what the frames show besides it as straight lines. The fit of a curve that follows the equation is then that
curve's, whatever the length of the frames (a correction of the kind of Fox 1947, Proc R Soc A 190:31, who solves again
with the error of the first answer put in).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.piecewise import answer_of_pieces
from raphe.core.release import ReleaseIntegral
from raphe.core.sampling import Sampling

Array = npt.NDArray[np.float64]

MOST = 2.0
"""Highest value of a solution, as a share of the curve's, up to which the curve is drawn by it."""


def guided(
    sampling: Sampling, integral: ReleaseIntegral, reference: Array, activity: Array, theta: Array, shape: Array
) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Draw curves by the solutions of the equation.

    Parameters
    ----------
    sampling : Sampling
        With knots as near to each other as the solution is to be drawn.
    integral : ReleaseIntegral
        Of the same knots.
    reference : ndarray, shape (n_frame,), kBq/mL
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
    theta : ndarray, shape (n_curve, 4)
        R1, k2, k2a and gamma.
    shape : ndarray, shape (n_curve, n_shape)
        Parameters of the release.

    Returns
    -------
    ndarray, shape (n_curve, n_knot), kBq/mL
        Curves at the knots; where there is no usable solution, straight between the knots of the frames.
    ndarray of bool, shape (n_curve,)
        Where there is one.
    """
    R1, k2, k2a, gamma = theta.T
    step = np.diff(sampling.knots)
    released = np.zeros((len(theta), step.size))
    released[:, step.size - integral.knots.size + 1 :] = integral.areas(shape)
    K = k2a[:, None] + gamma[:, None] * released / step
    behind = sampling.draw @ reference
    with np.errstate(over="ignore", invalid="ignore"):
        gain = k2[:, None] - R1[:, None] * K
        solution = R1[:, None] * behind + answer_of_pieces(step, behind[:-1] * gain, behind[1:] * gain, K)
        good = np.abs(solution).max(axis=1) <= MOST * np.abs(activity).max(axis=1)  # False where not a number
    solution = np.where(good[:, None], solution, 0.0)
    seen, _ = sampling.seen_of_drawn(solution)
    return solution + (activity - seen) @ sampling.draw.T, good

"""Ratio of uptake to that of a reference region in a time window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.core.linear import least_squares
from raphe.errors import ModelError, TimingError
from raphe.kinetics.protocol import Example, Problem, Solution, curvewise

Array = npt.NDArray[np.float64]

CLOCK = 0.01
"""How far a window may reach beyond the scan, min, before it is more than the rounding of the clock."""


@dataclass(frozen=True)
class SUVR:
    r"""Ratio of standardised uptake values (as used by Lopresti et al. 2005).

    .. math:: SUVR = \int_{t_{begin}}^{t_{end}} C_T \Big/ \int_{t_{begin}}^{t_{end}} C_R

    over the frames in the window, each by the part of it that lies inside; dose and body weight cancel. A gap between
    frames counts for nothing. Only the frames in the window are used, so no early ones are needed.

    SUVR - 1 is not BP_ND, and is not given: while tracer is leaving plasma, tissue that binds holds more of it than in
    true equilibrium, so that the ratio is too high, by more the more it binds, and it changes with blood flow and
    clearance (Carson et al. 1993).

    The standard error is that of the frames in the window about a ratio that may drift in a straight line, with the
    relative variances that the weights say. Noise of the reference in those frames is thereby part of it. It takes
    three frames; with fewer it is NaN.

    Parameters
    ----------
    t_begin, t_end : float, min
        The window. There is no default: the ratio depends on it.

    Raises
    ------
    ModelError
        If that is no window.

    References
    ----------
    Lopresti et al. 2005, J Nucl Med 46:1959. Carson et al. 1993, J Cereb Blood Flow Metab 13:24.
    """

    t_begin: float
    t_end: float

    name: ClassVar[str] = "SUVR"
    aliases: ClassVar[tuple[str, ...]] = ()
    title: ClassVar[str] = "ratio of uptake to the reference region in a time window"
    needs: ClassVar[tuple[str, ...]] = ("reference", "window")
    parameters: ClassVar[tuple[str, ...]] = ("SUVR",)
    macro: ClassVar[str] = "SUVR"
    fits_curve: ClassVar[bool] = False
    n_free: ClassVar[int] = 2  # the ratio, and the drift that its standard error allows for
    least_frames: ClassVar[int] = 1
    citations: ClassVar[tuple[str, ...]] = ("lopresti2005", "carson1993")

    def __post_init__(self) -> None:
        if not 0 <= self.t_begin < self.t_end < np.inf:
            raise ModelError(
                f"{self.name} needs a window of time, t_begin before t_end in min from injection, but was given "
                f"t_begin = {self.t_begin:g} and t_end = {self.t_end:g}"
            )

    def overlap(self, frames: Frames) -> Array:
        """How long each frame is inside the window, shape (n_frame,), min.

        Raises
        ------
        TimingError
            If the window reaches beyond the scan.
        """
        begin, end = frames.start[0], frames.end[-1]
        if self.t_begin < begin - CLOCK or self.t_end > end + CLOCK:
            raise TimingError(
                f"the {self.name} window of {self.t_begin:g} to {self.t_end:g} min is not within the scan, which lasts "
                f"from {begin:g} to {end:g} min; choose t_begin and t_end within it"
            )
        inside = np.minimum(frames.end, self.t_end) - np.maximum(frames.start, self.t_begin)
        return np.asarray(np.where(inside > CLOCK, inside, 0.0))

    def estimate(self, problem: Problem) -> Solution:
        """Parameters of every curve of the problem."""
        window, minutes = self._window(problem)
        curves, weights, reference = window.row_activity, window.row_weights, window.reference_curve[window.rows]
        total = float(minutes @ reference)
        area = total if total > 0 else np.nan  # there is no ratio to nothing
        ratio = curves @ minutes / area
        fitted = ratio[:, None] * reference
        wrss = (weights * (curves - fitted) ** 2).sum(axis=-1) if window.rows.size > 1 else np.full(len(curves), np.nan)
        se = np.sqrt(_drift_variance(window) @ minutes**2) / area
        flags = np.zeros(len(curves), dtype=np.int64)
        return Solution(ratio[:, None], se[:, None], fitted, wrss, window.rows, flags)

    def _window(self, problem: Problem) -> tuple[Problem, Array]:
        """Problem of the frames in the window, and how long each is in it, min."""
        overlap = self.overlap(problem.sampling.frames)
        rows = problem.rows[overlap[problem.rows] > 0]
        if rows.size == 0:
            raise TimingError(
                f"there is no frame with a weight in the {self.name} window of {self.t_begin:g} to {self.t_end:g} min; "
                "choose another window, or give its frames a weight"
            )
        return replace(problem, rows=rows), overlap[rows] / np.bincount(rows)[rows]  # standing twice adds no time


def _drift_variance(window: Problem) -> Array:
    """Variance of each frame about a ratio that drifts in a straight line, shape (n_curve, n_row); NaN if under 3."""
    curves, weights, rows = window.row_activity, window.row_weights, window.rows
    if rows.size < 3:
        return np.full(curves.shape, np.nan)
    reference, time = window.reference_curve[rows], window.sampling.frames.mid[rows]
    design = np.broadcast_to(curvewise(reference, reference * time), (*curves.shape, 2))
    solved = least_squares(design, curves, weights)
    wrss = np.where(solved.singular, np.nan, solved.wrss)
    return np.asarray(wrss[:, None] / (rows.size - 2) / weights)


EXAMPLE = Example(SUVR(t_begin=63.0, t_end=93.0), {"R1": 1.1, "k2_prime": 0.1, "BP_ND": 1.5}, tolerance=1e-9)

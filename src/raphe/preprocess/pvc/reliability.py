"""How far the corrected means of regions can be trusted: their noise, and what a wrong resolution makes of them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from raphe.preprocess.pvc.blur import Blur
from raphe.preprocess.pvc.correct import numbers
from raphe.preprocess.pvc.protocol import Correction, LinearCorrection
from raphe.preprocess.pvc.setting import Setting

Array = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

WRONG = (0.8, 1.2)
"""Times the resolution that is taken for true: how far it may be off."""

REALISATIONS = 16
"""Of noise, by which a correction without a formula is judged: each costs as much as a frame."""

LEVEL = 0.1
"""Standard deviation of a voxel in these, over the mean of the regions: as in the mean of late frames."""


@dataclass(frozen=True, eq=False)
class Reliability:
    """What is known of the corrected means of a setting's wholes besides their values; NaN for one without voxels.

    Parameters
    ----------
    amplification : ndarray, shape (n_whole,)
        Standard deviation of a corrected mean over that of the mean itself, for noise that is alike in all voxels.
    covariance : ndarray, shape (n_whole, n_whole), or None
        Of the corrected means, where the noise of a voxel has the variance 1; None where no formula tells it.
    sensitivity : mapping of float to ndarray, shape (n_whole,)
        Corrected mean with a resolution that is so many times that of the scanner, over the corrected mean.
    """

    amplification: Array
    covariance: Array | None
    sensitivity: Mapping[float, Array]


def reliability(
    frame: Floats,
    setting: Setting,
    method: Correction,
    wrong: Mapping[float, Setting],
    grain: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> Reliability:
    """Judge a correction at one frame.

    Parameters
    ----------
    frame : ndarray of float32, shape ``grid.shape``
        Usually the mean of late frames. A linear correction has the same noise at every other.
    setting : Setting
    method : Correction
    wrong : mapping of float to Setting
        The same regions with other resolutions, by the factor (:data:`WRONG`); see :meth:`Setting.with_width`.
    grain : tuple of float, length 3, mm
        Width (FWHM) of the Gaussian that makes independent noise as coarse as that of the image; 0 if voxels are
        independent.
    """
    joins = setting.joins
    seen = np.asarray(joins.any(axis=1))
    clean, coarse = numbers(frame), Blur(grain, setting.grid.zooms, "noise")
    covariance = None
    plain = _covariance(setting.averaging, coarse, setting)
    if isinstance(method, LinearCorrection):
        solve, gather = method.linear(setting)
        told = joins @ solve
        covariance = np.where(seen & seen[:, None], told @ _covariance(gather, coarse, setting) @ told.T, np.nan)
        variance = np.diag(covariance)
    else:
        variance = _sampled(setting, method, coarse, clean, plain)
    amplification = np.sqrt(variance / np.maximum(np.diag(joins @ plain @ joins.T), np.finfo(float).tiny))
    right = setting.joined(method.correct(setting, clean).means)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {factor: other.joined(method.correct(other, clean).means) / right for factor, other in wrong.items()}
    return Reliability(np.where(seen, amplification, np.nan), covariance, found)


def _covariance(gather: sparse.csr_array, coarse: Blur, setting: Setting) -> Array:
    """Of weighted sums of voxels whose noise has the variance 1 and a grain."""
    rows = coarse.rows(gather, setting.grid.shape)
    return np.asarray((rows @ rows.T.tocsr()).toarray(), dtype=np.float64) / coarse.gain**2


def _sampled(setting: Setting, method: Correction, coarse: Blur, frame: Floats, plain: Array) -> Array:
    """Variance of the wholes' corrected means for noise of 1, from how noise that is added to the frame comes out.

    What the corrected mean has in common with the plain one and with GTM's, whose variances are known, is taken by
    these, and the rest alone from the realisations. The digits of the frame decide the noise, so that it repeats.
    """
    random = np.random.default_rng(zlib.crc32(np.ascontiguousarray(frame).tobytes()))
    level = LEVEL * float(np.abs(setting.means(frame)).mean())
    known, found = [], []
    for _ in range(REALISATIONS):
        noise = coarse(random.standard_normal(frame.shape, dtype=np.float32)) * np.float32(level / coarse.gain)
        mean = setting.means(noise)
        known.append((setting.joined(mean), setting.joined(setting.inverse @ mean)))
        found.append(setting.joined(method.correct(setting, frame + noise).means))
    both, after = np.array(known) / level, np.array(found) / level
    both, after = both - both.mean(axis=0), after - after.mean(axis=0)
    joins = setting.joins
    solve = joins @ setting.inverse
    before, across = np.diag(joins @ plain @ joins.T), np.diag(solve @ plain @ joins.T)
    twice = np.diag(solve @ plain @ solve.T)
    variance = np.full(len(joins), np.nan)
    for at in np.flatnonzero(np.isfinite(after).all(axis=0) & (before > 0)):
        share = np.linalg.lstsq(both[:, :, at], after[:, at], rcond=1e-6)[0]
        rest = after[:, at] - both[:, :, at] @ share
        exact = np.array([[before[at], across[at]], [across[at], twice[at]]])
        variance[at] = share @ exact @ share + rest @ rest / (REALISATIONS - 3)
    return variance

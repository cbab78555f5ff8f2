r"""Exact curves of a tracer with one-tissue kinetics, in closed form.

The plasma input is a sum of terms :math:`(a + b t)\, e^{s t}`, and so is a tissue's response to it; frame averages
follow from the antiderivative. There is no time grid: the curves are true to rounding.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from raphe.core import weights
from raphe.core.frames import Frames

Array = npt.NDArray[np.float64]

PARENT_LEFT = 0.2
"""Share of the plasma activity that stays unchanged tracer however late. An assumption for a carbon-11 ligand."""

PARENT_RATE = 0.03
"""Rate at which the rest is metabolised, 1/min. An assumption for a carbon-11 ligand."""

RESONANCE = 5e-6
"""Distance, 1/min, of a tissue's rate constant from one of the input under which their terms would cancel.

There, the mean of the responses on either side is taken, which is right to 1e-6.
"""

NOISE_VOLUME = 10_000.0
"""Volume of the region for which the noise of a scan is stated, mm3."""


@dataclass(frozen=True, eq=False)
class Exponentials:
    r"""The curve :math:`\sum_j (a_j + b_j t)\, e^{s_j t}`, 0 before t = 0.

    Parameters
    ----------
    rate : ndarray, shape (n_term,), 1/min
        :math:`s_j`; not zero.
    constant : ndarray, shape (n_term,)
        :math:`a_j`.
    slope : ndarray, shape (n_term,)
        :math:`b_j`.
    """

    rate: Array
    constant: Array
    slope: Array

    def at(self, time: Array) -> Array:
        """Value at each ``time`` in min from injection on; same shape as ``time``."""
        t = np.asarray(time, dtype=float)[..., None]
        return np.asarray(((self.constant + self.slope * t) * np.exp(self.rate * t)).sum(axis=-1))

    def averages(self, frames: Frames) -> Array:
        """Mean of the curve over each frame, shape (n_frame,)."""
        edges, s = np.concatenate([frames.start, frames.end])[:, None], self.rate
        whole = np.exp(s * edges) * ((self.constant + self.slope * edges) / s - self.slope / s**2)
        area = whole.sum(axis=1)
        return np.asarray((area[len(frames) :] - area[: len(frames)]) / frames.duration)

    def times_exponential(self, rate: float) -> Exponentials:
        """Curve multiplied by exp(rate t)."""
        return Exponentials(self.rate + rate, self.constant, self.slope)

    def plus(self, other: Exponentials, scale: float = 1.0) -> Exponentials:
        """Sum of the curve and ``scale`` times the other."""
        return Exponentials(
            np.concatenate([self.rate, other.rate]),
            np.concatenate([self.constant, scale * other.constant]),
            np.concatenate([self.slope, scale * other.slope]),
        )


def feng_input() -> Exponentials:
    """Total activity in plasma after a bolus, in arbitrary units.

    The model 4 of Feng et al. (1993, Int J Biomed Comput 32:95, doi 10.1016/0020-7101(93)90049-C) with their typical
    parameters, which are those of FDG.
    """
    late = np.array([21.8798, 20.8113])
    return Exponentials(
        rate=np.array([-4.1339, -0.1191, -0.0104]),
        constant=np.array([-late.sum(), *late]),
        slope=np.array([851.1225, 0.0, 0.0]),
    )


def bolus_input(rise: float, bolus: float, late: float) -> Exponentials:
    r"""Total activity in plasma of a tracer that lasts, in arbitrary units.

    This is Feng's form with one late term, :math:`b t e^{-a t} + e^{-c t} - e^{-a t}`.

    Parameters
    ----------
    rise, bolus, late : float, 1/min
        a, b and c.
    """
    return Exponentials(
        rate=np.array([-rise, -late]), constant=np.array([-1.0, 1.0]), slope=np.array([bolus, 0.0])
    )  # fmt: skip


def plasma_input(total: Exponentials) -> Exponentials:
    """Unchanged tracer in plasma: the total times a falling parent fraction.

    The parent fraction is ``PARENT_LEFT + (1 - PARENT_LEFT) exp(-PARENT_RATE t)``, an assumption.
    """
    lasting = Exponentials(total.rate, PARENT_LEFT * total.constant, PARENT_LEFT * total.slope)
    return lasting.plus(total.times_exponential(-PARENT_RATE), 1 - PARENT_LEFT)


def parent_fraction(time: Array) -> Array:
    """Share of the activity in plasma that is unchanged tracer at times in min, as :func:`plasma_input` has it."""
    return np.asarray(PARENT_LEFT + (1 - PARENT_LEFT) * np.exp(-PARENT_RATE * time))


def tissue_response(frames: Frames, source: Exponentials, rate: Array) -> Array:
    r"""Frame averages of :math:`\int_0^t e^{-k (t - u)} C_p(u)\, du` for several rate constants k.

    Parameters
    ----------
    frames : Frames
        From injection on.
    source : Exponentials
        :math:`C_p`.
    rate : ndarray, shape (n_tissue,), 1/min
        k; positive.

    Returns
    -------
    ndarray, shape (n_tissue, n_frame)
        In the unit of the source x min.
    """
    near = (np.abs(source.rate + rate[:, None]) < RESONANCE).any(axis=1)
    aside = np.where(near, 2 * RESONANCE, 0.0)
    return (_response(frames, source, rate - aside) + _response(frames, source, rate + aside)) / 2


def scan_curves(
    frames: Frames,
    R1: Array,
    k2_prime: float,
    BP_ND: Array,
    peak: float,
    k4: float | None = None,
    total: Exponentials | None = None,
) -> tuple[Array, Array]:
    r"""Noise-free curves of the reference and of regions.

    With one compartment, every tissue exchanges with plasma as the simplified reference tissue model has it,
    :math:`dC/dt = K_1 C_p - k C`, with :math:`k = k_2'` in the reference and
    :math:`k_{2a} = R_1 k_2' / (1 + BP_{ND})` elsewhere, and :math:`K_1 = R_1 K_1'` (Lammertsma and Hume 1996,
    NeuroImage 4:153, doi 10.1006/nimg.1996.0066). With ``k4``, a region has two, non-displaceable and bound, with
    :math:`k_2 = R_1 k_2'` and :math:`k_3 = BP_{ND} k_4` (Innis et al. 2007, J Cereb Blood Flow Metab 27:1533).

    Parameters
    ----------
    frames : Frames
    R1, BP_ND : ndarray, shape (n_region,)
    k2_prime : float, 1/min
    peak : float, kBq/mL
        Activity of the reference in its highest frame.
    k4 : float, 1/min, optional
        Positive.
    total : Exponentials, optional
        Total activity in plasma, in any unit; that of :func:`feng_input` by default.

    Returns
    -------
    reference : ndarray, shape (n_frame,), kBq/mL
    regions : ndarray, shape (n_region, n_frame), kBq/mL
    """
    source = plasma_input(feng_input() if total is None else total)
    reference = tissue_response(frames, source, np.array([k2_prime]))[0]
    if k4 is None:
        regions = tissue_response(frames, source, R1 * k2_prime / (1 + BP_ND))
    else:
        regions = _two_tissues(frames, source, R1 * k2_prime, BP_ND * k4, k4)
    scale = peak / reference.max()
    return scale * reference, scale * R1[:, None] * regions


def _two_tissues(frames: Frames, source: Exponentials, k2: Array, k3: Array, k4: float) -> Array:
    """Response of two compartments in series to the input, for a K1 of 1, shape (n_region, n_frame)."""
    total = k2 + k3 + k4
    apart = np.sqrt(np.maximum(total**2 - 4 * k2 * k4, 0.0))
    fast = (total + apart) / 2
    slow = k2 * k4 / fast
    both = tissue_response(frames, source, np.concatenate([slow, fast]))
    n = k2.size
    first, second = ((k3 + k4 - slow) / (fast - slow), (fast - k3 - k4) / (fast - slow))
    return np.asarray(first[:, None] * both[:n] + second[:, None] * both[n:])


def noise_level(frames: Frames, half_life: float, reference: Array, percent: float) -> float:
    """Factor alpha of a scan whose noise is stated in per cent.

    Parameters
    ----------
    frames : Frames
    half_life : float, min
    reference : ndarray, shape (n_frame,), kBq/mL
        Noise-free curve of the reference region.
    percent : float
        Standard deviation that the last frame of a region of ``NOISE_VOLUME`` would have, in per cent of its activity,
        if that were still the highest of the reference.

    Returns
    -------
    float, sqrt(kBq/mL min)
    """
    share = weights.decay(frames, half_life)[-1]
    return float(percent / 100 * np.sqrt(reference.max() * share))


def noise_sd(frames: Frames, half_life: float, activity: Array, volume: Array, alpha: float) -> Array:
    r"""Noise of each frame, as counting gives it for decay-corrected activity.

    The standard deviation is :math:`\alpha \sqrt{C_i / (d_i r_i)}` with the activity C, the duration d and the share r
    of the nuclide that is left (Logan et al. 2001, J Cereb Blood Flow Metab 21:307), times sqrt(``NOISE_VOLUME`` /
    volume): voxels are taken as independent.

    Parameters
    ----------
    frames : Frames
    half_life : float, min
    activity : ndarray, shape (n_curve, n_frame), kBq/mL
        Noise-free curves.
    volume : ndarray, shape (n_curve,), mm3
    alpha : float
        As :func:`noise_level` gives it.

    Returns
    -------
    ndarray, shape (n_curve, n_frame), kBq/mL
    """
    share = weights.decay(frames, half_life)
    return np.asarray(alpha * np.sqrt(activity / share) * np.sqrt(NOISE_VOLUME / volume)[:, None])


def _response(frames: Frames, source: Exponentials, rate: Array) -> Array:
    k = rate[:, None]
    q = source.rate + k
    slope = source.slope / q
    constant = source.constant / q - slope / q
    edges = np.concatenate([frames.start, frames.end])
    s = source.rate[:, None]
    inside = np.exp(s * edges) * ((constant[..., None] + slope[..., None] * edges) / s - slope[..., None] / s**2)
    wash_out = constant.sum(axis=1, keepdims=True) * np.exp(-k * edges) / k
    area = inside.sum(axis=1) + wash_out
    n = len(frames)
    return np.asarray((area[:, n:] - area[:, :n]) / frames.duration)

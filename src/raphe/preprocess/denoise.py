"""Less noise in a dynamic image before curves are taken: a Gaussian inside the brain, or HYPR-LR."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from raphe.core.smoothing import composite, hypr, hypr_gain, kernel, smoothed
from raphe.data.record import Step
from raphe.data.volume import DynamicImage


def denoise(
    image: DynamicImage,
    inside: npt.NDArray[np.bool_],
    *,
    smoothing: float | None = None,
    with_hypr: float | None = None,
) -> tuple[DynamicImage, Step]:
    """Smooth every frame inside a mask; voxels outside it stay as they are.

    Parameters
    ----------
    image : DynamicImage
    inside : ndarray of bool, shape ``image.grid.shape``
    smoothing, with_hypr : float, mm
        FWHM of the Gaussian, or of that of HYPR-LR; one of the two.

    Raises
    ------
    InputError
        If the mask is empty or the width not positive.
    """
    fwhm = with_hypr if with_hypr is not None else smoothing
    assert fwhm is not None
    around = kernel(inside, fwhm, image.grid.zooms)
    out = image.activity.copy()
    gain = None if with_hypr is None else hypr_gain(composite(image.activity, image.frames.duration), around)
    for at, frame in enumerate(image.activity):
        made = smoothed(frame, around) if gain is None else hypr(frame, gain, around)
        out[at] = np.where(np.isfinite(made), made, frame)
    how, cited = ("Gaussian", ()) if gain is None else ("HYPR-LR", ("christian2010",))
    step = Step("denoise", {"kernel": how, "fwhm": fwhm, "inside": "brain"}, citations=cited)
    return DynamicImage(image.grid, image.frames, out, image.half_life), step

"""The filter after reconstruction, as the sidecar of a PET image has it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from raphe.io.fields import Fields


def gaussian_filter(paths: Sequence[Path]) -> float | None:
    """Width (FWHM) of the Gaussian by which an image was filtered after reconstruction, mm.

    ``ReconFilterType`` and ``ReconFilterSize`` of BIDS tell it, a value each or a list each. The size of another filter
    (Hann, Shepp) is no width of a Gaussian, and is passed over.

    Parameters
    ----------
    paths : sequence of Path, one or more
        Sidecars, the nearest to the image first.

    Returns
    -------
    float or None
        None where they tell of no Gaussian, or of no width.

    Raises
    ------
    InputError
        If a file cannot be read, or the size of a Gaussian is no positive number.
    """
    fields = Fields(paths)
    kinds, sizes = _several(fields, "ReconFilterType"), _several(fields, "ReconFilterSize")
    squares = 0.0
    for kind, size in zip(kinds, sizes, strict=False):
        if not isinstance(kind, str) or "gauss" not in kind.lower() or size is None:
            continue
        if isinstance(size, bool) or not isinstance(size, int | float) or not 0 <= size < math.inf:
            raise fields.error("ReconFilterSize", size, "the FWHM of the Gaussian in mm was expected")
        squares += float(size) ** 2
    return math.sqrt(squares) if squares > 0 else None


def _several(fields: Fields, name: str) -> list[object]:
    value = fields.value(name)
    return value if isinstance(value, list) else [value]

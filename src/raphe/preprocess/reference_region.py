"""The reference region: cerebellar grey matter, away from what binds."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from raphe.data.record import Step
from raphe.data.volume import Labels
from raphe.nomenclature import region_key

NAME = "cerebellar_grey"

AWAY = 0.07
"""Distance from cortex, over the brain's edge, within which the cerebellum is left out: 8 mm in people, for the blur of
most tomographs reaches so far."""

AWAY_CORRECTED = 0.04
"""Likewise where partial volumes are corrected, 5 mm in people: what spills in is taken away then, but where cortex and
cerebellum touch the labels err by some mm, and one per cent of the reference is three per cent of a BP_ND of 0.5."""

VERMIS = 0.05
"""Half-width of the vermis, over the brain's edge, that is left out on both sides of the middle: 6 mm in people."""

LEAST = 0.1
"""Share of the cerebellar grey matter that must be left; else all of it is taken."""

PARTS = ("occipital", "temporal", "fusi", "lingual", "cuneus", "calcarine", "parahip", "entorhinal", "collat")
"""What names of cortex above the cerebellum hold, those of Desikan and of Destrieux."""

WORDS = frozenset({"oc", "temp"})
"""Words of Destrieux for the occipital and temporal lobes."""


def cerebellar_reference(
    labels: Labels, size: float, away: float = AWAY
) -> tuple[Labels | None, Step, tuple[str, ...]]:
    """Cerebellar grey matter without vermis and rim to the cortex.

    Parameters
    ----------
    labels : Labels
        Regions of a head or of a PET image.
    size : float, mm
        Edge of the brain.
    away : float
        Distance from cortex that is left out, over the brain's edge.

    Returns
    -------
    Labels or None
        The region alone, as number 1; None where the labels have no cerebellar grey matter.
    Step
    tuple of str
        Doubts.
    """
    own = [number for number, name in labels.names.items() if region_key(name)[0] == "cerebellar grey"]
    inside = np.isin(labels.values, own)
    if not inside.any():
        return None, Step("reference_region", {"region": NAME, "found": False}), ("there is no cerebellar grey matter",)
    box = tuple(slice(max(0, int(n.min()) - 20), int(n.max()) + 21) for n in np.nonzero(inside))
    part = inside[box]
    others = (labels.values[box] > 0) & ~part & np.isin(labels.values[box], _cortical(labels))
    near = (
        ndimage.distance_transform_edt(~others, sampling=labels.grid.zooms) < away * size
        if others.any()
        else part & False
    )
    index = np.stack(np.nonzero(part), axis=-1) + [one.start for one in box]
    across = index @ labels.grid.affine[0, :3] + labels.grid.affine[0, 3]
    middle = (np.percentile(across, 1) + np.percentile(across, 99)) / 2
    kept = np.zeros_like(part)
    kept[part] = np.abs(across - middle) > VERMIS * size
    kept &= ~near
    share = float(kept.sum() / part.sum())
    doubts: tuple[str, ...] = ()
    if share < LEAST:
        kept, doubts = part, (
            f"only {100 * share:.0f} % of the cerebellar grey matter lies away from cortex and vermis, so all of it is "
            "the reference",
        )  # fmt: skip
    values = np.zeros_like(labels.values)
    values[box] = kept
    step = Step(
        "reference_region",
        {"region": NAME, "found": True, "share": share, "away": away * size, "vermis": VERMIS * size, "doubts": doubts},
    )
    return Labels(labels.grid, values.astype(np.int32), {1: NAME}), step, doubts


def apart(labels: Labels, reference: Labels | None) -> tuple[Labels, dict[str, tuple[str, ...]], tuple[str, ...]]:
    """Labels in which what is of the reference is a region of its own.

    Parameters
    ----------
    labels : Labels
    reference : Labels or None
        On the same grid, from :func:`cerebellar_reference`.

    Returns
    -------
    Labels
    dict of str to tuple of str
        The regions of ``labels``, in their order, and the new ones of which each consists.
    tuple of str
        Those of which the reference consists.
    """
    wholes: dict[str, tuple[str, ...]] = {name: (name,) for name in labels.names.values()}
    if reference is None:
        return labels, wholes, ()
    inside = reference.values > 0
    values, names, parts = labels.values.copy(), dict(labels.names), []
    for number in np.unique(labels.values[inside]).tolist():
        there = inside & (labels.values == number)
        new, name = max(names) + 1, f"{labels.names[number]}, reference"
        values[there], names[new] = new, name
        rest = (labels.values == number).sum() > there.sum()
        wholes[labels.names[number]] = (labels.names[number], name) if rest else (name,)
        parts.append(name)
    return Labels(labels.grid, values, names), wholes, tuple(parts)


def _cortical(labels: Labels) -> list[int]:
    """Labels above the cerebellum that bind: those of the occipital and temporal lobes, by any of their names."""
    return [number for number, name in labels.names.items() if _is_cortical(name)]


def _is_cortical(name: str) -> bool:
    plain = region_key(name)[0]
    words = plain.split()
    if words[:1] == ["wm"] or "white" in words:
        return False
    return any(part in plain for part in PARTS) or not WORDS.isdisjoint(words)

"""The part of a scan's report that shows its preprocessing: doubts, movement, registration, partial volumes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from raphe.data.concern import SETTLED, movement_of
from raphe.data.preprocessed import Preprocessed, Suvr
from raphe.report.carpet import LIMIT, carpets
from raphe.report.registered import Layers, layers, outlines
from raphe.report.simulated import Figure, Key, Titled
from raphe.report.simulated_figures import Line, time_panel
from raphe.report.wording import count, fixed, general, listed


class Ratios(NamedTuple):
    """Late ratios to the reference by region, without and with partial-volume correction."""

    caption: str
    methods: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[str, float], ...]], ...]
    """Region; the ratio of each method, and for each correction the change in per cent, with the number to sort by."""


class PreprocessingView(NamedTuple):
    """What the page shows."""

    doubts: tuple[str, ...]
    facts: tuple[tuple[str, str], ...]
    movement: tuple[Figure, ...]
    layers: Layers | None
    regions: tuple[Figure, ...]
    ratios: Ratios | None


def preprocessing_view(found: Preprocessed) -> PreprocessingView:
    """Figures and words about one scan."""
    moved = movement_of(found.frames, found.displacement, found.within)
    since = f"from {general(SETTLED)} min on"
    facts = [
        ("Doubts", str(len(found.doubts)) if found.doubts else "none"),
        (f"Largest movement between frames, {since}", f"{fixed(moved.largest, 1)} mm"),
        (f"Mean movement between frames, {since}", f"{fixed(moved.mean, 2)} mm"),
        (f"Mean movement within frames, {since}", f"{fixed(moved.within, 2)} mm"),
        ("Frames whose position is their neighbours'", f"{int(found.held.sum())} of {len(found.held)}"),
        *found.facts,
    ]
    movement: tuple[Figure, ...] = ()
    if len(found.frames) > 1:
        movement = (_motion(found), _carpets(found)) if found.carpets else (_motion(found),)
    ratios = None if found.suvr is None else _ratios(found.suvr)
    return PreprocessingView(found.doubts, tuple(facts), movement, layers(found), (outlines(found),), ratios)


def _motion(found: Preprocessed) -> Figure:
    time = found.frames.mid
    panels = [
        Titled(title, time_panel(lines, unit, "min after injection", f"{title} over time", rest=0.0))
        for title, unit, lines in (
            ("Translation", "mm", [Line(f"s{axis}", time, found.pose[:, axis]) for axis in range(3)]),
            ("Rotation", "degrees", [Line(f"s{axis}", time, np.rad2deg(found.pose[:, 3 + axis])) for axis in range(3)]),
            (
                "Movement of the brain", "mm",
                [
                    Line("s3", time, np.nan_to_num(found.displacement)),
                    Line("s4 dashed", time, np.nan_to_num(found.within)),
                ],
            ),
        )
    ]  # fmt: skip
    keys = (
        *(Key(f"along or about {name}", f"s{axis}") for axis, name in enumerate(("x (right)", "y (front)", "z (up)"))),
        Key("since the frame before", "s3"),
        Key("within the frame, by its neighbours", "s4", "dashed"),
    )
    held = int(found.held.sum())
    told = f" {count(held, 'frame')} told nothing of the position and lie as their neighbours do." if held else ""
    caption = (
        "Position of the head in each frame against that in the late frames: what was undone. Movement is the mean "
        f"over places of the brain.{told}"
    )
    return Figure(tuple(panels), caption, keys, title="Movement")


def _carpets(found: Preprocessed) -> Figure:
    aside = {"white matter": "rest of brain", "grey matter": "regions"} if found.t1 is None else {}
    drawing = carpets(found.carpets, found.frames, found.displacement, aside)
    after = (
        " What movement has left as measured should be gone on the right; what stays there was not undone."
        if len(found.carpets) > 1
        else " Head motion was not corrected here."
    )
    caption = (
        "Carpet plot: each row is the mean of neighbouring voxels of one kind of tissue, from the lowest place of the "
        "brain (top of each block) to the highest, each column a frame. Colours: activity over that of the whole "
        "tissue, the two scaled to be alike over the scan; orange is more, blue is less, colours end at "
        f"{100 * LIMIT:g} %. Above: movement of the brain since the frame before; a bar that reaches the top goes on "
        "beyond it. Stripes that begin or end in one column are movement; slow changes along a row may be binding that "
        f"differs within the tissue; speckle is noise.{after}"
    )
    return Figure((Titled("", drawing),), caption, (), wide=True, title="Places of the brain over time")


def _ratios(suvr: Suvr) -> Ratios:
    plain = suvr.values[0]
    rows = []
    for at, name in enumerate(suvr.names):
        cells = [(fixed(float(plain[at]), 2), float(plain[at]))]
        for values in suvr.values[1:]:
            change = 100 * (float(values[at]) / float(plain[at]) - 1) if plain[at] else float("nan")
            cells += [(fixed(float(values[at]), 2), float(values[at])), (fixed(change, 0, sign=True), change)]
        rows.append((name, tuple(cells)))
    caption = (
        f"Late activity over that of the reference of the fits ({listed(suvr.reference)}), {general(suvr.start)} to "
        f"{general(suvr.end)} min, without and with partial-volume correction. This ratio (SUVR) is no binding "
        "potential: models are fitted to one of these tables alone."
    )
    return Ratios(caption, suvr.methods[1:], tuple(rows))

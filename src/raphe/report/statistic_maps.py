"""Contrasts voxel by voxel on the page of a study: what is significant after correction first, then pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from raphe.data import group_map as stat
from raphe.data.group_map import GroupMap, MapPeak
from raphe.data.record import Step
from raphe.report.brain import StatisticMap, glass_brain
from raphe.report.group import MapPart, map_part
from raphe.report.methods_maps import arrangements, masked, number_of, smoothed, texts_of
from raphe.report.page import record, render
from raphe.report.peaks import PeakRow
from raphe.report.simulated import Figure, Titled
from raphe.report.viewer import Place, Statistic, Viewers, Way, viewers
from raphe.report.wording import count, fixed, general, listed, probability

Floats = npt.NDArray[np.float32]

LEVEL = 0.05
"""At or below which a corrected p value counts."""

LOG_LEVEL = -math.log10(LEVEL) - 1e-4
"""The same as -log10, less what single precision loses."""

MOST = 20
"""Rows of a table of peaks."""


class StatisticView(NamedTuple):
    """One contrast as the page shows it."""

    name: str
    what: str
    primary: bool
    shown: bool
    """Whether anything is significant after correction."""
    verdict: str
    facts: tuple[tuple[str, str], ...]
    excluded: tuple[str, ...]
    part: MapPart
    more: str
    """How many peaks the table has left out, and where they are; empty where none."""


class StatisticMapsView(NamedTuple):
    """All of them, and what is to be said of contrasts that were not made."""

    views: tuple[StatisticView, ...]
    notes: tuple[str, ...]
    viewers: Viewers | None = None
    """One a view, in the same order; None where there is no view."""
    page: str = ""
    """Way from the study's page to that of the viewers; empty where they stand on the study's page."""


def maps_view(
    found: Sequence[GroupMap], backgrounds: Mapping[str, Floats], notes: Sequence[str], page: str = ""
) -> StatisticMapsView | None:
    """Gather what the page shows; None where there is nothing.

    Parameters
    ----------
    found : sequence of GroupMap
    backgrounds : mapping of str to ndarray
        Image under the slices, by the name of the contrast, on the grid of its maps.
    notes : sequence of str
        Contrasts that were not made, and why.
    page : str
        Way from the study's page to one of the viewers alone, for viewers that are too large for it; without,
        viewers stand on the study's page whatever their size.
    """
    if not found and not notes:
        return None
    views = tuple(_view(one, backgrounds.get(one.name)) for one in found)
    told = tuple(f"{note}." if note[-1] not in ".!?" else note for note in notes)
    shown = viewers([_statistic(one, backgrounds.get(one.name)) for one in found])
    return StatisticMapsView(views, told, shown, page if shown is not None and shown.large else "")


def viewer_page(title: str, maps: StatisticMapsView, report: str, versions: Mapping[str, str]) -> str:
    """Write the viewers as a page of their own, which needs nothing else.

    Parameters
    ----------
    title : str
        Of the study.
    maps : StatisticMapsView
        With a ``page``.
    report : str
        Way to the study's page.
    versions : mapping of str to str
    """
    return render("viewer_page.html.j2", title=title, maps=maps, report=report, versions=versions)


def maps_page(
    title: str,
    maps: StatisticMapsView,
    *,
    steps: Sequence[Step],
    versions: Mapping[str, str],
    citations: Mapping[str, str],
    command_line: str,
) -> str:
    """Write contrasts of maps, without a study's report, as one HTML document that needs nothing else.

    Parameters
    ----------
    title : str
        Of the study; empty for an unnamed one.
    maps : StatisticMapsView
        With the viewers on the page.
    steps, versions, citations, command_line
        As for :func:`raphe.report.study.study_page`.
    """
    return render(
        "maps_page.html.j2",
        title=title or "Contrasts of maps",
        maps=maps,
        **record(steps, versions, citations, command_line),
    )


def _statistic(one: GroupMap, background: Floats | None) -> Statistic:
    """What the viewer of a contrast shows."""
    ways = [Way("by the largest absolute t", one.maps[stat.LOGP_FWE], _corrected(one.maps[stat.LOGP_FWE]))]
    tfce = one.maps.get(stat.LOGP_FWE_TFCE)
    if tfce is not None:
        ways.append(Way("by TFCE", tfce, _corrected(tfce)))
    places = [
        Place(f"{peak.region or 'peak'}, {_statistic_name(one.step)} = {fixed(peak.t, 2)}", peak.x, peak.y, peak.z)
        for peak in one.peaks[:MOST]
    ]
    return Statistic(
        one.name, _statistic_name(one.step), str(one.step.parameters.get("space")), one.maps[stat.T], one.grid.affine,
        number_of(one.step, "threshold"), ways, places, background,
    )  # fmt: skip


def _statistic_name(step: Step) -> str:
    return "t" if step.parameters.get("variance_smoothing") is None else "pseudo-t"


def _corrected(logp: Floats) -> npt.NDArray[np.bool_]:
    """Voxels that are significant."""
    found: npt.NDArray[np.bool_] = np.nan_to_num(logp) >= LOG_LEVEL
    return found


def _view(one: GroupMap, background: Floats | None) -> StatisticView:
    get, step = one.step.parameters.get, one.step
    shown = any(number_of(step, key) > 0 for key in ("n_fwe", "n_fwe_tfce", "n_extent_fwe", "n_mass_fwe"))
    return StatisticView(
        one.name,
        str(get("what")),
        bool(get("primary")),
        shown,
        _verdict(step, shown),
        _facts(step),
        texts_of(step, "excluded"),
        _part(one, background),
        _more(one),
    )


def _more(one: GroupMap) -> str:
    if len(one.peaks) <= MOST:
        return ""
    return f"Shown are the {MOST} highest of {len(one.peaks)} peaks; all are in *_clusters.tsv in the folder group."


def _verdict(step: Step, shown: bool) -> str:
    get, least = step.parameters.get, number_of(step, "smallest_p")
    if least > LEVEL:
        return (
            f"Nothing can be significant here: these {count(len(texts_of(step, 'participants')), 'participant')} have "
            f"{get('permutations')} arrangements, so that no p value can be below {general(least)}. Maps and peaks "
            "describe, they do not show an effect, nor that there is none."
        )
    if shown:
        parts = [
            f"{number_of(step, key):.0f} {words}"
            for key, words in (
                ("n_fwe", "voxels by height (largest absolute t)"),
                ("n_fwe_tfce", "voxels by TFCE"),
                ("n_extent_fwe", f"of {number_of(step, 'n_clusters'):.0f} clusters by extent"),
                ("n_mass_fwe", f"of {number_of(step, 'n_clusters'):.0f} clusters by mass"),
            )
            if number_of(step, key) > 0
        ]
        several = len(texts_of(step, "statistics")) > 1
        more = " Each way is corrected for the whole map, but not for being one of several ways." if several else ""
        return f"Significant after correction for the whole map (p at or below {LEVEL}): {listed(parts)}.{more}"
    ways = [f"{probability(number_of(step, 'p_fwe'))} by the largest absolute t"]
    if get("p_fwe_tfce") is not None:
        ways.append(f"{probability(number_of(step, 'p_fwe_tfce'))} by TFCE")
    return (
        f"No effect was shown: after correction for the whole map the smallest p is {listed(ways)}. This is no "
        "evidence that there is no effect anywhere."
    )


def _facts(step: Step) -> tuple[tuple[str, str], ...]:
    get = step.parameters.get
    arms = texts_of(step, "arms")
    n = len(texts_of(step, "participants"))
    by_arm = f" ({listed([f'{arms.count(arm)} {arm}' for arm in dict.fromkeys(arms)])})" if arms else ""
    facts = [
        ("Participants", f"{n}{by_arm}"),
        ("Arrangements", arrangements(step)),
        ("Smallest p that these can give", general(number_of(step, "smallest_p"), 3)),
        ("Smoothing of the scans", smoothed(step)),
    ]
    if get("variance_smoothing") is not None:
        facts.append(("Smoothing of the variance", f"{general(number_of(step, 'variance_smoothing'))} mm FWHM"))
    facts += [
        ("Voxels", f"{number_of(step, 'n_voxel'):,.0f}: {masked(step)}"),
        ("Space", f"{get('space')}, {' x '.join(general(float(str(z)), 3) for z in _sizes(step))} mm"),
        ("Regions", str(get("atlas") or f"not named: {get('why_no_atlas')}")),
    ]
    facts += [("Not analysed", "; ".join(texts_of(step, "left_out")))] if texts_of(step, "left_out") else []
    return tuple(facts)


def _sizes(step: Step) -> tuple[object, ...]:
    found = step.parameters.get("voxel")
    return found if isinstance(found, tuple) else ()


def _part(one: GroupMap, background: Floats | None) -> MapPart:
    step, t = one.step, one.maps[stat.T]
    mask = np.isfinite(t)
    name, corrected = _statistic_name(step), _corrected(one.maps[stat.LOGP_FWE])
    drawn = StatisticMap(t, one.grid.affine, mask, number_of(step, "threshold"), corrected, background, name)
    part = map_part(
        one.name,
        drawn,
        [_row(peak) for peak in one.peaks[:MOST]],
        f"the largest absolute {name} of {arrangements(step)}",
        level=LEVEL,
    )
    tfce = one.maps.get(stat.LOGP_FWE_TFCE)
    if tfce is None or number_of(step, "n_fwe_tfce") == 0:
        return part
    return part._replace(figures=(_enhanced(one, tfce, mask), *part.figures))


def _enhanced(one: GroupMap, tfce: Floats, mask: npt.NDArray[np.bool_]) -> Figure:
    """Glass brain of what is significant by TFCE."""
    signed = tfce * np.sign(one.maps[stat.TFCE])
    drawn = StatisticMap(signed, one.grid.affine, mask, LOG_LEVEL, name="-log10 p")
    caption = (
        f"Glass brain of TFCE, corrected for the whole map by the largest TFCE of {arrangements(one.step)}: -log10 of "
        f"p with the sign of the effect, where p is at or below {LEVEL}."
    )
    return Figure((Titled("", glass_brain(drawn, f"Glass brain of TFCE: {one.name}")),), caption, wide=True)


def _row(peak: MapPeak) -> PeakRow:
    return PeakRow(
        peak.region, peak.x, peak.y, peak.z, peak.t, peak.p_fwe, peak.cluster, peak.voxels, peak.volume, peak.p_extent
    )

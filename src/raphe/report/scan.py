"""The report of one scan."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from raphe.data.blood import PlasmaInput, Samples
from raphe.data.blood_fit import BloodFit
from raphe.data.fit import KineticFit
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.report.blood import blood_view
from raphe.report.estimated_input import estimated_input
from raphe.report.maps import MapView
from raphe.report.methods_maps import done_to_maps
from raphe.report.overview import Overview, overview
from raphe.report.page import FIRST, record, render
from raphe.report.preprocessing import PreprocessingView
from raphe.report.section import FEW, Section, fit_step, section
from raphe.report.viewer import Viewers
from raphe.report.wording import general, listed, tracer


def scan_page(
    scan: Scan,
    fits: Sequence[KineticFit],
    *,
    arterial: Sequence[BloodFit] = (),
    plasma: PlasmaInput | None = None,
    samples: Samples | None = None,
    steps: Sequence[Step],
    versions: Mapping[str, str],
    citations: Mapping[str, str],
    command_line: str,
    region_order: Sequence[str] = (),
    notes: Sequence[str] = (),
    excluded: str = "",
    maps: Sequence[MapView] = (),
    viewers: Viewers | None = None,
    preprocessing: PreprocessingView | None = None,
) -> str:
    """Write the report of one scan as one HTML document that needs nothing else.

    Parameters
    ----------
    scan : Scan
    fits : sequence of KineticFit
        One a model, at least one; the first is the one that is meant where one is asked for.
    arterial : sequence of BloodFit
        Models of the blood; none where an input function was given, or where no model needs blood.
    plasma : PlasmaInput or None
        The input that the fits had, its delay included.
    samples : Samples or None, kBq/mL
        Of the parent in plasma, which gave the scale of an input that was estimated.
    steps : sequence of Step
        What was done to this scan, in order; methods text, settings and inputs are written from them.
    versions : mapping of str to str
        Software and its version.
    citations : mapping of str to str
        Text of each reference by its key; a doi in it becomes a link.
    command_line : str
    region_order : sequence of str
        Regions that stand first, in this order; the others follow in the order of the fit.
    notes : sequence of str
        What else a reader must know, e.g. warnings of the check; plain text.
    excluded : str
        Why a person has taken the scan out of the study; empty where it takes part.
    maps : sequence of MapView
        Of voxels, where maps were made.
    viewers : Viewers, optional
        Of the maps, or of the first ones.
    preprocessing : PreprocessingView or None
        Where the curves were made of images here.

    Returns
    -------
    str
        The same input gives the same text.
    """
    called = tracer(scan.tracer, scan.radionuclide)
    several, longest = len(fits) > 1, max(fits, key=lambda fit: len(fit.frames))
    sections = [
        section(
            fit,
            steps,
            region_order=region_order,
            anchor=f"model-{at}-" if several else "",
            most=FEW if several else FIRST,
            n_frames=len(longest.frames),
        )
        for at, fit in enumerate(fits)
    ]
    compared = overview(fits, sections) if several else None
    return render(
        "scan.html.j2",
        title=" ".join(filter(None, (f"sub-{scan.participant}", scan.session and f"ses-{scan.session}"))),
        tracer=called,
        facts=_facts(scan, longest),
        glance=_of_all(fits, sections, compared, plasma, steps),
        sections=sections,
        overview=compared,
        estimated=[one for fit in fits if (one := estimated_input(fit, samples, fit_step(fit, steps))) is not None],
        blood=None if plasma is None else blood_view(plasma, arterial, steps, _end(longest, steps)),
        notes=[*notes, *_lost(steps)],
        excluded=excluded,
        maps=maps,
        viewers=viewers,
        preprocessing=preprocessing,
        of_maps=done_to_maps(steps),
        **record(steps, versions, citations, command_line, {scan.tracer: called}),
    )


def _end(longest: KineticFit, steps: Sequence[Step]) -> float:
    """To where blood is drawn, min: the end of the scan, or of the frames that the blood covers."""
    cut = next((step.parameters.get("end") for step in steps if step.name == "blood_cut"), None)
    return float(cut) if isinstance(cut, int | float) else float(longest.frames.end[-1])


def _lost(steps: Sequence[Step]) -> list[str]:
    """Models that this scan does not allow, and what the blood does not cover."""
    lost = [step.parameters for step in steps if step.name == "not_fitted"]
    cut = [step.parameters for step in steps if step.name == "blood_cut"]
    covered = "The blood covers the first {} frames only; models with the arterial input were fitted to these."
    return [f"{one.get('model')} was not fitted: {one.get('why')}" for one in lost] + [
        covered.format(one.get("n_frames")) for one in cut
    ]


def _facts(scan: Scan, fit: KineticFit) -> list[tuple[str, str]]:
    def told(value: float | None, unit: str) -> str:
        return "not recorded" if value is None or not math.isfinite(value) else f"{general(value)} {unit}"

    frames = fit.frames
    facts = [
        ("Injected activity", told(scan.injected_radioactivity, "MBq")),
        ("Injected mass", told(scan.injected_mass, "\N{MICRO SIGN}g")),
        ("Molar activity", told(scan.molar_activity, "GBq/\N{MICRO SIGN}mol")),
        ("Body weight", told(scan.body_weight, "kg")),
        ("Half-life", told(scan.half_life, "min")),
        ("Frames", f"{len(frames)} over {general(float(frames.end[-1]))} min"),
        ("Scanner", scan.scanner or "not recorded"),
    ]
    return facts + [(key, value) for key, value in scan.entities if key != "trc"]


def _of_all(
    fits: Sequence[KineticFit],
    sections: Sequence[Section],
    compared: Overview | None,
    plasma: PlasmaInput | None,
    steps: Sequence[Step],
) -> list[tuple[str, str]]:
    """Facts of the analysis; of a single model, all of its own besides."""
    weights = dict.fromkeys(str(fit_step(fit, steps).get("weights", "not recorded")) for fit in fits)
    conventions = dict.fromkeys(fit.convention for fit in fits)
    estimated = listed([fit.model for fit in fits if fit.estimated_input is not None])
    inputs = ["arterial plasma"] if plasma is not None else []
    inputs += (
        [f"estimated from the tissue ({estimated})" if inputs else "estimated from the tissue"] if estimated else []
    )
    blood = [("Input", listed(inputs))] if inputs else []
    how = [*blood, ("Weights", listed(list(weights))), ("Frame convention", listed(list(conventions)))]
    if compared is None:
        (one,) = sections
        return [*one.facts[:3], ("Model", one.model), *one.facts[3:], *how]
    counts = [f"{len(one.regions) - len(one.excluded)} of {len(one.regions)}" for one in sections]
    usable = listed([f"{one.model} {n}" for one, n in zip(sections, counts, strict=True)])
    if len(set(counts)) == 1:
        usable = f"{counts[0]} by each model"
    preferred = [("Preferred by the data", compared.short)] if compared.short else []
    models = ("Models", listed([one.model for one in sections]))
    return [models, ("Regions with a usable estimate", usable), *preferred, *how]

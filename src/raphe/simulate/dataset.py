"""A simulated study as files: raw BIDS sidecars, derivatives with curves, the study plan and the truth."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from raphe import catalog
from raphe.catalog import Protocol
from raphe.core.frames import Frames
from raphe.data.scan import Scan
from raphe.data.tacs import TACs
from raphe.io import derivatives
from raphe.io.described import Column, write_described
from raphe.io.exclusions import FILE
from raphe.io.provenance import SOFTWARE, software_version
from raphe.io.tables import write_text
from raphe.io.tacs import write_tacs
from raphe.simulate.plan import SimulationPlan
from raphe.simulate.plan_file import PlanText
from raphe.simulate.record import Record
from raphe.simulate.scans import delivery
from raphe.simulate.treatment_files import write_mechanism, write_ratings

CURVES = Path("derivatives", "raphe-sim")
TRUTH = Path("truth")
SEGMENTATION = "sim"

VOXEL = 8.0
"""Volume of a voxel, mm3, from which the numbers of voxels follow. An assumption."""

NOT_MADE = "none (simulated)"

README = """This dataset was simulated by raphe. No person and no animal was scanned.

raphe.toml is the study plan. Where drugs are given, the times of scans stand in sub-*/sub-*_sessions.tsv, and ratings
in phenotype/. What is true in each scan stands in truth/; an analysis must not read it.
"""

OF_CURVES = """
It holds the sidecars of PET scans whose images were not made, and their regional time-activity curves under
derivatives/raphe-sim: run "raphe run" on this folder.
"""

OF_IMAGES = """
It holds dynamic PET and T1-weighted images. In truth/ are the labels of all parcels in the space of either, the motion
of the head, the transform from the T1-weighted image to the PET image at injection, and curves without noise or blur.
"""


def write_scan(out: Path, scan: Scan, tacs: TACs) -> None:
    """Write what there is of one scan: raw sidecar, curves, and volumes of the regions.

    Parameters
    ----------
    out : Path
        Root of the raw dataset.
    scan : Scan
    tacs : TACs
        With volumes.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    assert tacs.volumes is not None, "a simulated scan knows the volumes of its regions"
    table = derivatives.tacs(out / CURVES, scan, SEGMENTATION)
    write_tacs(table, tacs, scan)
    columns = [Column("name", "Region"), Column("volume-mm3", "Volume", "mm3"), Column("n_voxel", "Number of voxels")]
    rows = [
        (name, float(volume), max(1, round(volume / VOXEL)))
        for name, volume in zip(tacs.names, tacs.volumes, strict=True)
    ]
    morph = table.with_name(table.name.replace("_tacs.tsv", "_morph.tsv"))
    write_described(morph, columns, rows, {"Description": "Volumes of the regions"})
    write_sidecar(out, scan, tacs.frames, None)


def write_sidecar(out: Path, scan: Scan, frames: Frames, protocol: Protocol | None) -> None:
    """Write the metadata of one PET scan.

    Parameters
    ----------
    out : Path
        Root of the raw dataset.
    scan : Scan
    frames : Frames
    protocol : Protocol, optional
        Of its image; None where none was made.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    folder = out / f"sub-{scan.participant}" / f"ses-{scan.session}" / "pet"
    _write_json(folder / f"{scan.label}_pet.json", _sidecar(scan, frames, protocol))


def write_mri_sidecar(out: Path, participant: str, session: str) -> None:
    """Write the metadata of a participant's T1-weighted image.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    name = f"sub-{participant}_ses-{session}"
    told = {"Description": "Simulated; no one was scanned", "Manufacturer": NOT_MADE, "MRAcquisitionType": "3D"}
    _write_json(out / f"sub-{participant}" / f"ses-{session}" / "anat" / f"{name}_T1w.json", told)


def write_study(
    out: Path, plan: SimulationPlan, source: PlanText, seed: int, records: Sequence[Record], images: bool
) -> None:
    """Write what there is once in a study: descriptions, participants, the study plan and the truth.

    Parameters
    ----------
    out : Path
        Root of the raw dataset.
    plan : SimulationPlan
    source : PlanText
        The file of that plan.
    seed : int
    records : sequence of Record
        One a participant.
    images : bool
        Whether there are images, and so no curves.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    made_by = [{"Name": f"{SOFTWARE} simulate", "Version": software_version()}]
    common: dict[str, object] = {"BIDSVersion": derivatives.BIDS_VERSION, "License": "CC0", "GeneratedBy": made_by}
    common["Authors"] = ["No one: simulated"]
    _write_json(derivatives.description(out), {"Name": plan.study.title, "DatasetType": "raw", **common})
    if not images:
        curves = {"Name": f"Curves of: {plan.study.title}", "DatasetType": "derivative", **common}
        _write_json(derivatives.description(out / CURVES), curves)
        write_text(out / CURVES / ".bidsignore", "*_tacs.*\n*_morph.*\n")
    write_text(out / ".bidsignore", f"raphe.toml\n{FILE}\n{TRUTH}\n")
    write_text(out / "README", README + (OF_IMAGES if images else OF_CURVES))
    _write_participants(out, plan, records)
    if plan.symptoms is not None:
        write_ratings(out, plan, records)
    write_text(out / "raphe.toml", study_plan(plan, images))
    _write_truth(out / TRUTH, source, seed, records)
    if plan.doses:
        write_mechanism(out / TRUTH, plan, records)


def study_plan(plan: SimulationPlan, images: bool = False) -> str:
    """Text of the ``raphe.toml`` with which a simulated study is analysed; nothing of the truth is in it.

    ``images`` says that no curves were made, whose segmentation the plan would name.
    """
    species = catalog.species(plan.study.species)
    reference = species.reference_region.replace(" ", "_")
    lines = [f"# Study plan of a simulated study, made by {SOFTWARE}."]
    lines += _table("[study]", {"title": plan.study.title, "species": plan.study.species})
    for tracer in plan.tracers:
        model = tracer.model or catalog.tracer(tracer.name).model.value
        settings = {"name": tracer.name, "model": model, "reference": reference, "weights": "decay"}
        lines += _table("[[tracer]]", settings)
    for condition in plan.conditions:
        lines += _table("[[condition]]", {"name": condition.name})
    for session in plan.sessions:
        lines += _table("[[session]]", {"label": session.label, "condition": session.condition})
    for arm in plan.arms:
        lines += _table("[[arm]]", {"name": arm.name, "allocation": arm.allocation})
    lines += _table("[regions]", {"seg": None if images else SEGMENTATION, "list": plan.regions.names})
    if plan.primary is not None:
        lines += _table("[primary]", plan.primary.model_dump())
    for contrast in plan.contrasts:
        lines += _table("[[contrast]]", {key: value for key, value in contrast.model_dump().items() if value != ()})
    if plan.multiplicity is not None:
        lines += _table("[multiplicity]", plan.multiplicity.model_dump())
    return "\n".join(lines) + "\n"


def _table(header: str, values: Mapping[str, object]) -> list[str]:
    """Lines of a TOML table; a text in JSON is one in TOML, and so is a list of texts."""
    pairs = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if value is not None]
    return ["", header, *pairs]


def _write_participants(out: Path, plan: SimulationPlan, records: Sequence[Record]) -> None:
    people = [one.participant for one in records]
    columns = [Column("participant_id", "Identifier"), Column("weight", "Body weight", "kg")]
    columns += [Column("arm", "Arm to which the participant was allocated")] if plan.arms else []
    rows = [(f"sub-{person.label}", person.body_weight, person.arm)[: len(columns)] for person in people]
    write_described(out / "participants.tsv", columns, rows, {})


def _write_truth(out: Path, source: PlanText, seed: int, records: Sequence[Record]) -> None:
    columns = [
        Column("participant", "Label"),
        Column("session", "Label"),
        Column("tracer", "Name"),
        Column("condition", "Name"),
        Column("arm", "Name"),
        Column("region", "Name"),
        Column("BP_ND", "Binding potential relative to non-displaceable uptake"),
        Column("R1", "Delivery relative to the reference"),
        Column("k2_prime", "Clearance from the reference tissue", "1/min"),
        Column("K1", "Delivery from plasma; that of the reference is an assumption", "mL/cm3/min"),
        Column("VT", "Volume of distribution, which follows from it", "mL/cm3"),
    ]
    rows = [
        (
            truth.participant.label,
            truth.session,
            truth.tracer,
            truth.condition or "n/a",
            truth.participant.arm or "n/a",
            region,
            float(truth.BP_ND[index]),
            float(truth.R1[index]),
            truth.k2_prime,
            float(f"{delivery() * truth.R1[index]:.9g}"),
            float(f"{delivery() / truth.k2_prime * (1 + truth.BP_ND[index]):.9g}"),
        )
        for one in records
        for truth in one.truths
        for index, region in enumerate(truth.regions)
    ]
    origin = {"Seed": seed, "Software": SOFTWARE, "SoftwareVersion": software_version(), "Plan": Path(source.name).name}
    write_described(out / "parameters.tsv", columns, rows, {"Description": "What is true in each scan", **origin})
    write_text(out / "plan.toml", source.text)


def _sidecar(scan: Scan, frames: Frames, protocol: Protocol | None) -> dict[str, object]:
    """PET metadata as BIDS 1.10 requires them."""
    dose, mass = scan.injected_radioactivity, scan.injected_mass
    weight = catalog.tracer(scan.tracer).molecular_weight
    start = [round(60 * float(time), 3) for time in frames.start]
    duration = [round(60 * float(time), 3) for time in frames.duration]
    known: dict[str, object] = {
        "Description": "Simulated; the image was not made" if protocol is None else "Simulated; no one was scanned",
        "Manufacturer": NOT_MADE if protocol is None else f"{protocol.manufacturer} (simulated)",
        "ManufacturersModelName": NOT_MADE if protocol is None else protocol.label,
        "Units": "Bq/mL" if protocol is None else "kBq/mL",
        "BodyPart": "brain",
        "TracerName": scan.tracer,
        "TracerRadionuclide": scan.radionuclide,
        "InjectedRadioactivity": dose,
        "InjectedRadioactivityUnits": "MBq",
        "InjectedMass": mass,
        "InjectedMassUnits": "ug",
        "SpecificRadioactivity": float(f"{dose / mass:.5g}") if dose and mass else "n/a",
        "SpecificRadioactivityUnits": "MBq/ug",
        "ModeOfAdministration": "bolus",
        "TimeZero": "10:00:00",
        "ScanStart": 0,
        "InjectionStart": 0,
        "FrameTimesStart": start,
        "FrameDuration": duration,
        "AcquisitionMode": NOT_MADE,
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
        "ReconMethodName": NOT_MADE,
        "ReconMethodParameterLabels": ["none"],
        "ReconMethodParameterUnits": ["none"],
        "ReconMethodParameterValues": [0],
        "ReconFilterType": "none",
        "AttenuationCorrection": NOT_MADE,
    }
    if weight is not None:
        known |= {"TracerMolecularWeight": weight.value, "TracerMolecularWeightUnits": "g/mol"}
        known |= {"MolarActivity": scan.molar_activity, "MolarActivityUnits": "GBq/umol"}
    return known


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")

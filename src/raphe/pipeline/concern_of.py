"""What may be wrong with the images of a scan, by the records that preprocessing left."""

from __future__ import annotations

from pathlib import Path

from raphe.core.frames import Frames
from raphe.data.concern import Concern, movement_of
from raphe.data.record import Step
from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.provenance import read_record
from raphe.io.tables import read_table


def concern_of(out: Path, scan: Scan, frames: Frames) -> Concern | None:
    """Concern about one scan; None where it was not preprocessed here, or its files are gone.

    Parameters
    ----------
    out : Path
    scan : Scan
    frames : Frames
        Of the whole scan.
    """
    try:
        steps = read_record(names.provenance(out, f"{scan.label}_preproc")).steps
        table = read_table(names.confounds(out, scan))
        moved, within = table.floats("framewise_displacement"), table.floats("within")
    except InputError:
        return None
    if len(moved) != len(frames):
        return None
    last = next((step for step in steps if step.name == "preprocessed"), Step("preprocessed"))
    scores = [step.parameters.get("score") for step in steps if step.name == "register"]
    return Concern(
        doubts=words_of(last, "doubts"),
        movement=movement_of(frames, moved, within),
        held=table.cells("held").count("true"),
        n_frame=len(frames),
        explained=next((float(score) for score in scores if isinstance(score, float)), float("nan")),
        cut_off=words_of(last, "cut_off"),
    )


def words_of(step: Step, name: str) -> tuple[str, ...]:
    """A list of words that a step records; none where it has no such list."""
    told = step.parameters.get(name, ())
    return tuple(str(one) for one in told) if isinstance(told, tuple) else ()

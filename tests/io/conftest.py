"""A small study of curves, made anew for each test that breaks it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

START = (0, 30, 60, 120, 300, 600, 1800, 3600)
DURATION = (30, 30, 60, 180, 300, 1200, 1800, 1800)
ABSENT = object()


def pet(**changes: object) -> dict[str, object]:
    """Fields of a sound PET sidecar, with some changed; ``ABSENT`` removes one."""
    fields: dict[str, object] = {
        "Manufacturer": "Siemens",
        "ManufacturersModelName": "HRRT",
        "Units": "Bq/mL",
        "TracerName": "DASB",
        "TracerRadionuclide": "C11",
        "TracerMolecularWeight": 282.39,
        "TracerMolecularWeightUnits": "g/mol",
        "InjectedRadioactivity": 400.0,
        "InjectedRadioactivityUnits": "MBq",
        "InjectedMass": 2.0,
        "InjectedMassUnits": "ug",
        "MolarActivity": 50.0,
        "MolarActivityUnits": "GBq/umol",
        "InjectionStart": 0,
        "FrameTimesStart": list(START),
        "FrameDuration": list(DURATION),
        "ImageDecayCorrected": True,
        "ImageDecayCorrectionTime": 0,
    }
    fields.update(changes)
    return {field: value for field, value in fields.items() if value is not ABSENT}


def curves(
    regions: Mapping[str, tuple[float, ...]] | None = None, columns: tuple[str, str] = ("frame_start", "frame_end")
) -> str:
    """Text of a sound wide table; activity in Bq/mL."""
    if regions is None:
        regions = {
            "putamen": (5.0, 400.0, 4000.0, 9000.0, 12000.0, 14000.0, 11000.0, 8000.0),
            "cerebellum": (4.0, 500.0, 5000.0, 9000.0, 9500.0, 7000.0, 4000.0, 3000.0),
        }
    lines = ["\t".join((*columns, *regions))]
    for frame, (start, duration) in enumerate(zip(START, DURATION, strict=True)):
        lines.append("\t".join(str(cell) for cell in (start, start + duration, *(r[frame] for r in regions.values()))))
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class SmallStudy:
    """Two participants with two sessions each."""

    root: Path

    def pet(self, participant: str = "01", session: str = "baseline") -> Path:
        return self.root / f"sub-{participant}/ses-{session}/pet/sub-{participant}_ses-{session}_pet.json"

    def table(self, participant: str = "01", session: str = "baseline") -> Path:
        folder = self.root / f"derivatives/petprep/sub-{participant}/ses-{session}/pet"
        return folder / f"sub-{participant}_ses-{session}_desc-preproc_tacs.tsv"

    def change(self, participant: str = "01", session: str = "baseline", **fields: object) -> Path:
        """Change fields of one PET sidecar."""
        path = self.pet(participant, session)
        write_json(path, pet(**fields))
        return path

    def edit(self, old: str, new: str, participant: str = "01", session: str = "baseline") -> Path:
        """Replace a text that stands in one table of curves."""
        path = self.table(participant, session)
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))
        return path


def write_json(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return path


@pytest.fixture
def fields() -> Callable[..., dict[str, object]]:
    return pet


@pytest.fixture
def absent() -> object:
    return ABSENT


@pytest.fixture
def table_text() -> Callable[..., str]:
    return curves


@pytest.fixture
def save_json() -> Callable[[Path, object], Path]:
    return write_json


@pytest.fixture
def study(tmp_path: Path) -> SmallStudy:
    made = SmallStudy(tmp_path / "study")
    write_json(made.root / "dataset_description.json", {"Name": "small", "BIDSVersion": "1.9.0", "DatasetType": "raw"})
    scale = 1.0
    for participant in ("01", "02"):
        for session in ("baseline", "blocked"):
            made.change(participant, session)
            path = made.table(participant, session)
            path.parent.mkdir(parents=True)
            path.write_text(
                curves(
                    {
                        "putamen": tuple(
                            scale * v for v in (5.0, 400.0, 4000.0, 9000.0, 12000.0, 14000.0, 11000.0, 8000.0)
                        ),
                        "cerebellum": (4.0, 500.0, 5000.0, 9000.0, 9500.0, 7000.0, 4000.0, 3000.0 * scale),
                    }
                )
            )
            scale *= 0.9
    (made.root / "participants.tsv").write_text("participant_id\tage\nsub-01\t30\nsub-02\t40\n")
    return made

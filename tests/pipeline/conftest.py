"""A small study with a known truth, as files that a test may break, and raphe on it as its user meets it."""

import csv
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import nibabel
import numpy as np
import pytest

from raphe.cli import main

LENGTHS = [10] * 6 + [20] * 3 + [30] * 6 + [60] * 5 + [120] * 5 + [300] * 8 + [600] * 3
"""Lengths of the frames, s: 90 min."""

K2_PRIME = 0.06
"""1/min, of the reference."""

BP_ND = {"thalamus": 1.9, "putamen": 2.1, "caudate": 1.6, "hippocampus": 0.7}
R1 = {"thalamus": 1.0, "putamen": 1.1, "caudate": 0.9, "hippocampus": 0.8}
CHANGE = {("01", "baseline"): 1.0, ("01", "rescan"): 0.9, ("02", "baseline"): 1.1, ("02", "rescan"): 1.0}
"""Factor of BP_ND in each scan."""

NOISE = 2e-3
"""Standard deviation of the noise of a frame of one minute, as a share of the curve's mean."""

PLAN = """[study]
title = "A small study"

[[tracer]]
name = "DASB"
model = "SRTM"
reference = "cerebellum"

[[session]]
label = "baseline"

[[session]]
label = "rescan"

[regions]
list = ["thalamus", "putamen", "caudate", "hippocampus"]

[primary]
tracer = "DASB"
region = "thalamus"
contrast = "change"

[[contrast]]
name = "change"
terms = ["baseline", "rescan"]
"""

SIDECAR: Mapping[str, object] = {
    "Manufacturer": "Siemens",
    "ManufacturersModelName": "HRRT",
    "Units": "Bq/mL",
    "TracerName": "DASB",
    "TracerRadionuclide": "C11",
    "InjectedRadioactivity": 400.0,
    "InjectedRadioactivityUnits": "MBq",
    "InjectionStart": 0,
    "ScanStart": 0,
    "FrameTimesStart": np.cumsum([0, *LENGTHS[:-1]]).tolist(),
    "FrameDuration": LENGTHS,
    "ImageDecayCorrected": True,
    "ImageDecayCorrectionTime": 0,
}


def activity(scan: tuple[str, str]) -> dict[str, np.ndarray]:
    """Curves of one scan in Bq/mL, frame averages in closed form, with a little noise.

    The reference is 20000 (e^-0.03t - e^-0.7t) Bq/mL with t in min. Convolved with e^-ct, each e^-at in it gives
    (e^-at - e^-ct) / (c - a).
    """
    start = np.cumsum([0, *LENGTHS[:-1]]) / 60
    end = np.cumsum(LENGTHS) / 60
    random = np.random.default_rng(sum(map(ord, "".join(scan))))

    def average(rate: float) -> np.ndarray:
        return (np.exp(-rate * start) - np.exp(-rate * end)) / (rate * (end - start))

    terms = {0.03: 20000.0, 0.7: -20000.0}
    curves = {"cerebellum": sum(size * average(rate) for rate, size in terms.items())}
    for region, ratio in R1.items():
        k2 = ratio * K2_PRIME
        k2a = k2 / (1 + CHANGE[scan] * BP_ND[region])
        tail = sum(size * (average(rate) - average(k2a)) / (k2a - rate) for rate, size in terms.items())
        curves[region] = ratio * curves["cerebellum"] + (k2 - ratio * k2a) * tail
    for region, curve in curves.items():
        noise = NOISE * curve.mean() / np.sqrt(end - start)
        curves[region] = np.round(curve + noise * random.standard_normal(curve.size), 2)
    return curves


CURVES = {scan: activity(scan) for scan in CHANGE}


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@dataclass
class Files:
    """A study of two people with two scans each, and ways to break it; the first scan is the one that is meant."""

    root: Path
    out: Path
    table: Path = field(init=False)
    pet: Path = field(init=False)
    plan: Path = field(init=False)

    def __post_init__(self) -> None:
        self.table, self.pet = self.table_of("01", "baseline"), self.pet_of("01", "baseline")
        self.plan = self.root / "raphe.toml"

    def pet_of(self, participant: str, session: str) -> Path:
        folder = self.root / f"sub-{participant}/ses-{session}/pet"
        return folder / f"sub-{participant}_ses-{session}_pet.json"

    def table_of(self, participant: str, session: str) -> Path:
        folder = self.root / f"derivatives/curves/sub-{participant}/ses-{session}/pet"
        return folder / f"sub-{participant}_ses-{session}_seg-test_desc-preproc_tacs.tsv"

    def tables(self) -> list[Path]:
        return sorted(self.root.glob("derivatives/curves/sub-*/ses-*/pet/*_tacs.tsv"))

    def sidecars(self) -> list[Path]:
        return sorted(self.root.glob("sub-*/ses-*/pet/*_pet.json"))

    def tell(self, *paths: Path, **fields: object) -> None:
        """Change fields of sidecars (the first scan's by default); ``...`` takes a field out."""
        for path in paths or (self.pet,):
            content = self.fields(path) | fields
            path.write_text(json.dumps({key: value for key, value in content.items() if value is not ...}))

    def fields(self, path: Path | None = None) -> dict[str, Any]:
        """Fields of a sidecar."""
        return json.loads((path or self.pet).read_text())

    def rows(self, path: Path | None = None) -> list[list[str]]:
        return [line.split("\t") for line in (path or self.table).read_text().splitlines()]

    def save(self, rows: list[list[str]], path: Path | None = None) -> None:
        (path or self.table).write_text("".join("\t".join(row) + "\n" for row in rows))

    def cell(self, row: int, column: str, value: object, path: Path | None = None) -> None:
        """Put ``value`` into the table; rows count frames from 1, and 0 is the header."""
        rows = self.rows(path)
        rows[row][rows[0].index(column)] = str(value)
        self.save(rows, path)

    def column(self, name: str, change: Callable[[str], object], path: Path | None = None) -> None:
        """Change every value of a column."""
        rows = self.rows(path)
        at = rows[0].index(name)
        for row in rows[1:]:
            row[at] = str(change(row[at]))
        self.save(rows, path)

    def without(self, *names: str, path: Path | None = None) -> None:
        """Take columns out of a table."""
        rows = self.rows(path)
        keep = [at for at, name in enumerate(rows[0]) if name not in names]
        self.save([[row[at] for at in keep] for row in rows], path)

    def copied(self, name: str, to: str, path: Path | None = None) -> None:
        """Add a column that repeats another."""
        rows = self.rows(path)
        at = rows[0].index(name)
        self.save([[*row, to if index == 0 else row[at]] for index, row in enumerate(rows)], path)

    def cut(self, frames: int, path: Path | None = None) -> None:
        """Keep the first frames of a scan, in its table and in its sidecar."""
        table = path or self.table
        self.save(self.rows(table)[: frames + 1], table)
        participant, session = (part.split("-")[1] for part in table.name.split("_")[:2])
        self.tell(
            self.pet_of(participant, session),
            FrameTimesStart=SIDECAR["FrameTimesStart"][:frames],
            FrameDuration=SIDECAR["FrameDuration"][:frames],
        )

    def edit(self, old: str, new: str, path: Path | None = None) -> None:
        """Replace a text that stands in the plan, or in another file."""
        text = (path or self.plan).read_text()
        assert old in text
        (path or self.plan).write_text(text.replace(old, new, 1))

    def forget(self, participant: str, session: str) -> None:
        """Take a scan out of the study."""
        shutil.rmtree(self.pet_of(participant, session).parents[1])
        shutil.rmtree(self.table_of(participant, session).parents[1])

    def add(self, participant: str, session: str, like: tuple[str, str] = ("01", "baseline")) -> None:
        """Add a scan with the curves of another."""
        for path in (self.pet_of, self.table_of):
            path(participant, session).parent.mkdir(parents=True)
            shutil.copy(path(*like), path(participant, session))


def write_study(root: Path) -> None:
    root.mkdir()
    described = {"Name": "small", "BIDSVersion": "1.10.0", "DatasetType": "raw"}
    (root / "dataset_description.json").write_text(json.dumps(described))
    (root / "participants.tsv").write_text("participant_id\nsub-01\nsub-02\n")
    (root / "raphe.toml").write_text(PLAN)
    files = Files(root, root)
    for participant, session in CHANGE:
        pet, table = files.pet_of(participant, session), files.table_of(participant, session)
        for path in (pet, table):
            path.parent.mkdir(parents=True)
        pet.write_text(json.dumps(dict(SIDECAR)))
        curves = CURVES[participant, session]
        lines = [["frame_start", "frame_end", *curves]]
        for frame, (start, length) in enumerate(zip(SIDECAR["FrameTimesStart"], LENGTHS, strict=True)):
            lines.append([str(start), str(start + length), *(str(curve[frame]) for curve in curves.values())])
        files.save(lines, table)


@pytest.fixture(scope="session")
def _sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sound") / "study"
    write_study(root)
    return root


@pytest.fixture
def files(tmp_path: Path, _sound: Path) -> Files:
    """A study in a folder of its own; ``files.out`` does not exist."""
    shutil.copytree(_sound, tmp_path / "study")
    return Files(tmp_path / "study", tmp_path / "out")


@pytest.fixture
def raphe(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """Run one command in this process; a wrong option ends it as it ends the program."""

    def run(*words: object) -> Ended:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        told = capsys.readouterr()
        return Ended(code, told.out, told.err)

    return run


@pytest.fixture
def contents() -> Callable[[Path], dict[str, bytes]]:
    """Everything under a folder: what each file holds, and which folders and links there are."""

    def read(folder: Path) -> dict[str, bytes]:
        held = {}
        for path in sorted(folder.rglob("*")):
            plain = path.is_file() and not path.is_symlink()
            held[path.relative_to(folder).as_posix()] = path.read_bytes() if plain else b""
        return held

    return read


@pytest.fixture
def refused(tmp_path: Path, raphe: Callable[..., Ended], contents: Callable[[Path], dict[str, bytes]]):
    """Run a command that must refuse: exit 2, one paragraph that holds ``words``, and nothing written anywhere."""

    def run(*command: object, words: Sequence[str]) -> None:
        before = contents(tmp_path)
        ended = raphe(*command)
        assert ended.code == 2, ended
        assert ended.out == ""
        told = ended.err.strip()
        assert told.startswith("raphe"), told
        assert "\n" not in told
        assert "fault of raphe" not in told
        for word in words:
            assert word in told
        assert contents(tmp_path) == before

    return run


@pytest.fixture
def rows_of() -> Callable[[Path], list[dict[str, str]]]:
    """Rows of a TSV file."""

    def read(path: Path) -> list[dict[str, str]]:
        with path.open(newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))

    return read


SHAPE = (9, 8, 7)
AFFINE = np.array([[-2.0, 0, 0.1, 90], [0, 2, 0, -126], [0.1, 0, 2.5, -72], [0, 0, 0, 1]])

LABELS = {"thalamus": 1, "putamen": 2, "caudate": 3, "hippocampus": 4, "cerebellum": 5}


@dataclass
class Scan:
    """An image whose every region has the curve of a table, and what belongs to it."""

    files: Files
    folder: Path
    labels: np.ndarray
    """Label of each voxel; 0 outside."""

    @property
    def pet(self) -> Path:
        return self.files.pet.with_suffix(".nii.gz")

    @property
    def data(self) -> np.ndarray:
        return np.asarray(nibabel.load(self.pet).dataobj)

    def save(self, data: np.ndarray, path: Path | None = None, **how: object) -> Path:
        """Write an image on the scan's grid."""
        path = path or self.pet
        image = nibabel.Nifti1Image(data, how.pop("affine", AFFINE), **how)
        image.header.set_xyzt_units("mm", "sec")
        nibabel.save(image, path)
        return path

    def mask(self, name: str, inside: np.ndarray, **how: object) -> Path:
        return self.save(np.asarray(inside, dtype=np.uint8), self.folder / f"{name}_mask.nii.gz", **how)

    @property
    def table(self) -> Path:
        return self.files.table

    @property
    def reference(self) -> str:
        """Curve of the reference, as ``raphe map`` takes it."""
        return f"{self.table}:cerebellum"


@pytest.fixture
def scan(files: Files, tmp_path: Path) -> Scan:
    """Blocks of voxels for the regions, with air around them."""
    labels = np.zeros(SHAPE, dtype=np.int16)
    for number in LABELS.values():
        labels[1:-1, 1:-1, number] = number
    data = np.zeros((*SHAPE, len(LENGTHS)))
    for name, curve in CURVES["01", "baseline"].items():
        data[labels == LABELS[name]] = curve
    made = Scan(files, tmp_path, labels)
    made.save(data)
    made.mask("brain", labels > 0)
    made.mask("reference", labels == LABELS["cerebellum"])
    made.save(labels, tmp_path / "labels.nii.gz")
    return made

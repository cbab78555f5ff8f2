"""Preprocessing against the truth of simulated raw scans: ``python benchmarks/preprocessing.py STUDY [--starts 50]``.

STUDY is what ``raphe simulate PLAN.toml STUDY`` made with images. For each scan are printed: the motion that is left
after correction, mm over the brain, by stretch of the scan; the error of the registration to the MRI at the centres of
regions, over random starts within 30 mm and 30 degrees; for each MRI the overlap (Dice) of every region with the true
one; and CPU seconds. ``--files`` names the folder of an atlas whose files no package brings (macaques). ``--peer`` is
the Python of an environment with elastix (``python -m venv PEER; PEER/bin/pip install itk-elastix numpy``), which then
corrects the same scans' motion, each frame against the late mean. ``--only motion`` leaves out the rest.
"""

from __future__ import annotations

import argparse
import csv
import json
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from raphe import catalog
from raphe.core import rigid
from raphe.data.alignment import HeadMotion
from raphe.data.image import Grid
from raphe.data.volume import DynamicImage, Labels, Volume
from raphe.io.templates import read_template
from raphe.io.volumes import read_dynamic, read_volume, read_whole_numbers
from raphe.nomenclature import COMPOSITES, region_key
from raphe.preprocess.anatomy import prepare_anatomy
from raphe.preprocess.motion import correct_motion, estimate_motion, mean_image
from raphe.preprocess.register import register_rigid
from raphe.simulate.motion import Motion
from tissues import print_table

Array = npt.NDArray[np.float64]

STRETCHES = ((0, 1), (1, 5), (5, 20), (20, 1000))
"""min."""

PEER_SCRIPT = Path(__file__).parent / "peers" / "elastix_motion.py"

POSE = ("trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def true_labels(path: Path) -> tuple[Labels, npt.NDArray[np.bool_]]:
    """True regions, and the brain (grey and white matter)."""
    grid, values = read_whole_numbers(path)
    table = rows(path.with_name(path.name.replace(".nii.gz", ".tsv")))
    brain = np.isin(values, [int(row["index"]) for row in table if row["tissue"] in ("grey", "white")])
    return Labels(grid, values, {int(row["index"]): row["name"] for row in table if row["tissue"] == "grey"}), brain


def true_motion(folder: Path, label: str, image: DynamicImage) -> tuple[Array, Array]:
    """Mean position of the head in each frame, and that at injection: matrices from the head's own space."""
    table = rows(folder / f"{label}_motion.tsv")
    centre = np.array(json.loads((folder / f"{label}_motion.json").read_text(encoding="utf-8"))["Centre"])
    seconds = np.array([float(row["time"]) for row in table])
    motion = Motion(seconds / 60, np.array([[float(row[name]) for name in POSE] for row in table]), centre, 80.0)
    frames = image.frames
    mean = [
        motion.at(np.linspace(start, end, 21)).mean(axis=0) for start, end in zip(frames.start, frames.end, strict=True)
    ]
    return np.array([motion.matrix(pose) for pose in mean]), motion.matrix(motion.pose[0])


def motion_left(found: HeadMotion, true: Array, first: Array, places: Array, image: DynamicImage) -> list[str]:
    """Median and 95th percentile of what is left over places of the brain, by stretch; against the late position."""
    back = np.linalg.inv(first)
    head = places @ back[:3, :3].T + back[:3, 3]
    ends = np.array(
        [head @ (e @ t)[:3, :3].T + (e @ t)[:3, 3] for e, t in zip(found.matrices, true, strict=True)]
    )  # fmt: skip
    late = image.frames.duration * (image.frames.start >= 20)
    left = np.linalg.norm(ends - np.tensordot(late / late.sum(), ends, axes=1), axis=2)
    told = []
    for start, end in STRETCHES:
        part = left[(image.frames.mid >= start) & (image.frames.mid < end)]
        told.append(f"{np.median(part):.2f} / {np.quantile(part, 0.95):.2f}" if part.size else "")
    return told


def of_peer(peer: str, image: DynamicImage, found: HeadMotion) -> tuple[HeadMotion, float]:
    """Motion by elastix against the late mean, and its CPU seconds."""
    zooms = np.array(image.grid.zooms)
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "frames.npz", Path(folder) / "motion.npz"
        late = mean_image(image, image.frames.start >= 20)
        np.savez(given, frames=image.activity, reference=late, zooms=zooms)
        subprocess.run([peer, PEER_SCRIPT, given, out], check=True, stdout=subprocess.DEVNULL)
        told = np.load(out)
        to_mm = image.grid.affine @ np.diag([*1 / zooms, 1.0])
        matrices = to_mm @ np.linalg.inv(told["matrices"]) @ np.linalg.inv(to_mm)
        return HeadMotion(matrices, found.centre, found.held, found.within, found.displacement), float(told["seconds"])


def registration(
    pet: Volume, t1: Volume, labels: Labels, brain: npt.NDArray[np.bool_], to_pet: Array, starts: int
) -> list[str]:
    """Errors at the centres of regions, mm, over random starts; failures over 3 mm, those flagged, and false alarms."""
    centres = np.array(
        [np.argwhere(labels.values == number).mean(axis=0) for number in labels.names]
    ) @ labels.grid.affine[:3, :3].T + labels.grid.affine[:3, 3]  # fmt: skip
    middle = centres.mean(axis=0) @ to_pet[:3, :3].T + to_pet[:3, 3]
    random, error, flagged = np.random.default_rng(1), [], []
    began = time.process_time()
    for _ in range(starts):
        shift, axis = random.standard_normal((2, 3))
        pose = [*shift / np.linalg.norm(shift) * random.uniform(0, 30), 0, 0, 0]
        pose[3:] = axis / np.linalg.norm(axis) * np.deg2rad(random.uniform(0, 30))
        away = rigid.matrix(pose, middle)
        moved = Volume(Grid(pet.grid.shape, away @ pet.grid.affine), pet.values)
        found, _ = register_rigid(moved, t1, ndimage.binary_closing(brain, iterations=4))
        error.append(float(np.median(rigid.shifts(found.matrix @ away @ to_pet, centres))))
        flagged.append(bool(found.doubts))
    wrong, told = np.array(error) > 3, np.array(flagged)
    each = (time.process_time() - began) / starts
    return [
        f"{np.median(error):.2f}", f"{np.max(error):.2f}", str(wrong.sum()), str((wrong & told).sum()),
        str((~wrong & told).sum()), f"{each:.1f}",
    ]  # fmt: skip


def overlap(found: Labels, true: Labels) -> list[tuple[str, str]]:
    """Dice of each true region with what was found under its name, both sides together."""
    own: dict[str, list[int]] = {}
    for number, name in found.names.items():
        own.setdefault(region_key(name)[0], []).append(number)
    told = []
    for number, name in true.names.items():
        plain = region_key(name)[0]
        members = own.get(plain) or [n for part in COMPOSITES.get(plain, ()) for n in own.get(part, [])]
        one, other = true.values == number, np.isin(found.values, members)
        told.append((plain, f"{2 * (one & other).sum() / max(one.sum() + other.sum(), 1):.2f}"))
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, metavar="STUDY")
    parser.add_argument("--starts", type=int, default=50, help="of the registration")
    parser.add_argument("--species", default="human")
    parser.add_argument("--files", type=Path, help="folder of the atlas")
    parser.add_argument("--peer", help="Python of an environment with elastix")
    parser.add_argument("--only", choices=["motion"])
    options = parser.parse_args()
    atlas = next(one for one in catalog.atlases() if one.species == options.species)
    files = {role: options.files / Path(file.path).name for role, file in atlas.files.items()} if options.files else {}
    template = read_template(atlas, files)
    moved, placed = [], []
    for image_path in sorted(options.study.glob("sub-*/**/pet/*_pet.nii.gz")):
        label, truth = image_path.name.removesuffix("_pet.nii.gz"), options.study / "truth"
        folder = truth / image_path.parent.relative_to(options.study)
        image, _ = read_dynamic(image_path, options.study)
        true, first = true_motion(folder, label, image)
        _, brain = true_labels(folder / f"{label}_space-pet_dseg.nii.gz")
        places = np.argwhere(brain)[::20] @ image.grid.affine[:3, :3].T + image.grid.affine[:3, 3]
        began = time.process_time()
        found, _ = estimate_motion(image)
        took = time.process_time() - began
        moved.append([label, *motion_left(found, true, first, places, image), f"{took:.1f}", ""])
        if options.peer:
            theirs, seconds = of_peer(options.peer, image, found)
            left = motion_left(theirs, true, first, places, image)
            moved.append(["  elastix", *left, f"{seconds:.1f}", f"{seconds / took:.1f}"])
        if options.only == "motion":
            continue
        known = HeadMotion(
            first @ np.linalg.inv(true), found.centre, found.held, found.within, found.displacement
        )  # fmt: skip
        pet = Volume(image.grid, mean_image(correct_motion(image, known), image.frames.start >= 10))
        (t1_path,) = options.study.glob(f"{label.split('_')[0]}/**/*_T1w.nii.gz")
        of_t1 = truth / t1_path.parent.relative_to(options.study)
        labels, inside = true_labels(of_t1 / t1_path.name.replace("_T1w", "_space-T1w_dseg"))
        to_pet = np.loadtxt(folder / f"{label}_from-T1w_to-pet_mode-image_xfm.txt")
        if options.starts:
            placed.append([label, *registration(pet, read_volume(t1_path), labels, inside, to_pet, options.starts)])
    print_table(
        "Motion that is left, median / 95th percentile, mm",
        ["scan", *(f"{a}-{b} min" for a, b in STRETCHES[:-1]), "later", "CPU s", "times raphe's"], moved,
    )  # fmt: skip
    if placed:
        header = ["scan", "median", "largest", "over 3 mm", "of these flagged", "false alarms", "CPU s"]
        print_table(f"Registration to the MRI over {options.starts} starts, mm", header, placed)
    if options.only == "motion":
        return
    for t1_path in sorted(options.study.glob("sub-*/**/anat/*_T1w.nii.gz")):
        of_t1 = options.study / "truth" / t1_path.parent.relative_to(options.study)
        labels, _ = true_labels(of_t1 / t1_path.name.replace("_T1w", "_space-T1w_dseg"))
        began = time.process_time()
        head, _ = prepare_anatomy(read_volume(t1_path), template)
        print_table(
            f"Overlap with the truth, {t1_path.name}, {time.process_time() - began:.0f} CPU s", ["region", "Dice"],
            [list(one) for one in overlap(head.labels, labels)],
        )  # fmt: skip


if __name__ == "__main__":
    main()

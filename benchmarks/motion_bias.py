"""What head motion does to BP_ND: ``python benchmarks/motion_bias.py STUDY``.

STUDY is what ``raphe simulate PLAN.toml STUDY`` made with images. Each scan is corrected by its true motion, by that
which is estimated, and not at all; curves are means over the true regions, without partial-volume correction, and
BP_ND is that of SRTM. So noise, blur and regions are the same, and what differs from the true motion's is bias from
motion. Printed are its median and largest absolute value over regions of 0.2 mL and more. Each correction is brought
to where the head lay on average, so an error of the reference position does not count.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt

from preprocessing import true_labels, true_motion
from raphe import SRTM, TACs, fit
from raphe.core import rigid
from raphe.data.alignment import HeadMotion
from raphe.data.volume import DynamicImage, Labels
from raphe.io.volumes import read_dynamic
from raphe.preprocess.motion import correct_motion, estimate_motion, no_motion
from tissues import print_table

Array = npt.NDArray[np.float64]

REFERENCE = "cerebell"

SMALL = 0.2
"""mL."""


def binding(image: DynamicImage, motion: HeadMotion, labels: Labels) -> dict[str, float]:
    """BP_ND of each true region."""
    still = correct_motion(image, motion)
    flat = labels.values.ravel()
    numbers = list(labels.names)
    size = np.bincount(flat, minlength=max(numbers) + 1)[numbers]
    sums = [np.bincount(flat, frame.ravel(), minlength=max(numbers) + 1)[numbers] for frame in still.activity]
    means = np.array(sums).T / np.maximum(size, 1)[:, None]
    names = [labels.names[number] for number in numbers]
    volume = size * abs(np.linalg.det(labels.grid.affine[:3, :3])) / 1000
    keep = [name.startswith(REFERENCE) or v >= SMALL for name, v in zip(names, volume, strict=True)]
    kept = [name for name, one in zip(names, keep, strict=True) if one]
    tacs = TACs(means[keep], image.frames, tuple(kept))
    reference = next(name for name in kept if name.startswith(REFERENCE))
    result, _ = fit(SRTM(), tacs, reference=reference, half_life=image.half_life)
    found = dict(zip(result.names, result.of("BP_ND")[0], strict=True))
    return {name: float(value) for name, value in found.items() if value > 0.1}


def brought(found: HeadMotion, true: Array, first: Array, image: DynamicImage) -> HeadMotion:
    """A correction whose reference position is that of the head at injection, as the true labels have it."""
    late = image.frames.duration * (image.frames.start >= 20)
    poses = np.array([rigid.pose(one @ true[at], found.centre) for at, one in enumerate(found.matrices)])
    mean = rigid.matrix(late @ poses / late.sum(), found.centre)
    return HeadMotion(
        first @ np.linalg.inv(mean) @ found.matrices, found.centre, found.held, found.within, found.displacement
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("study", type=Path, metavar="STUDY")
    options = parser.parse_args()
    told = []
    for path in sorted(options.study.glob("sub-*/**/pet/*_pet.nii.gz")):
        label = path.name.removesuffix("_pet.nii.gz")
        folder = options.study / "truth" / path.parent.relative_to(options.study)
        image, _ = read_dynamic(path, options.study)
        true, first = true_motion(folder, label, image)
        labels, _ = true_labels(folder / f"{label}_space-pet_dseg.nii.gz")
        still = no_motion(image)
        exact = HeadMotion(first @ np.linalg.inv(true), still.centre, still.held, still.within, still.displacement)
        truth = binding(image, exact, labels)
        row = [label]
        for motion in (still, estimate_motion(image)[0]):
            found = binding(image, brought(motion, true, first, image), labels)
            bias = np.array([100 * (found.get(name, np.nan) / value - 1) for name, value in truth.items()])
            row += [f"{np.nanmedian(np.abs(bias)):.1f}", f"{np.nanmax(np.abs(bias)):.1f}"]
        told.append([*row, str(len(truth))])
    print_table(
        "Bias of BP_ND from motion, per cent of that with the true motion corrected",
        ["scan", "uncorrected: median", "largest", "corrected: median", "largest", "regions"], told,
    )  # fmt: skip


if __name__ == "__main__":
    main()

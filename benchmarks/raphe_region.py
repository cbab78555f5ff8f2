"""The dorsal raphe by the atlas, by atlas and PET, and by bright voxels: ``python benchmarks/raphe_region.py PLAN``.

PLAN is one of ``raphe simulate`` with images and the dorsal raphe among its regions. For every person and tracer, scans
of the part around the midbrain are simulated, each with a pose and noise of its own, without motion, in which the raphe
binds as it is drawn, half way to that from the midbrain, and no more than the midbrain. Regions are those that
``prepare_anatomy`` finds in the simulated MRI. The registration to the MRI is made wrong by a known shift, or the raphe
alone is elsewhere than the atlas has it. Printed over scans: mean distance from the true centre and overlap (Dice);
median and half the interquartile range of the error of BP_ND (SRTM2, true reference and k2'), from the mean over the
region and by GTM with all regions as they were found.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy import ndimage

import raphe
from raphe import catalog
from raphe.data.image import Grid
from raphe.data.tacs import TACs
from raphe.data.volume import DynamicImage, Labels, Volume
from raphe.io.templates import read_template
from raphe.kinetics.models.srtm2 import SRTM2
from raphe.nomenclature import region_key
from raphe.preprocess.anatomy import prepare_anatomy, with_tissue
from raphe.preprocess.extract import extract_curves, region_shares
from raphe.preprocess.motion import mean_image
from raphe.preprocess.pvc.correct import correct
from raphe.preprocess.pvc.registry import correction
from raphe.preprocess.pvc.setting import setting_for
from raphe.preprocess.raphe_nuclei import NAME, raphe_on_pet
from raphe.preprocess.warp import brain_edge
from raphe.simulate.curves import noise_level
from raphe.simulate.heads import protocol_of, scanner_of
from raphe.simulate.motion import first_pose, still
from raphe.simulate.mri import labels_on, mri_grid, t1_image
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.population import ScanTruth
from raphe.simulate.record import record
from raphe.simulate.scan_images import Subject, parcel_curves, subject
from raphe.simulate.scanner import frames_of
from raphe.simulate.scans import frames_of_scan
from tissues import print_table

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

BINDING = {"as drawn": 1.0, "a half": 0.5, "none": 0.0}
"""Activity of the raphe above the midbrain, over what it is."""

EDGE = 0.34
"""Half the edge of what is simulated, over the brain's edge."""

HALF_LIFE = catalog.half_life("C11")


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """One simulated scan."""

    image: DynamicImage
    to_pet: Array
    reference: Array
    k2_prime: float
    truth: float


def scan(one: Subject, told: ScanTruth, share: float, seed: int) -> Case:
    """Simulate the part of a scan around the midbrain; ``to_pet`` is from the space of the MRI."""
    random = np.random.default_rng([one.participant.index, seed])
    anatomy, scanner, frames = one.anatomy, scanner_of(one.plan), frames_of_scan(one.plan, told.tracer)
    pose = still(first_pose(one.restlessness, random), anatomy.centre, anatomy.radius)
    matrix = pose.matrix(pose.pose[0])
    raphe_number, midbrain = anatomy.number(NAME), anatomy.number("midbrain")
    index = np.argwhere(anatomy.labels == raphe_number).mean(axis=0)
    centre = matrix @ anatomy.grid.affine @ np.append(index, 1)
    brain = np.isin(anatomy.tissues, ["grey", "white"])
    half = np.ceil(EDGE * anatomy.volumes[brain].sum() ** (1 / 3) / np.array(scanner.grid.zooms)).astype(int)
    affine = scanner.grid.affine.copy()
    affine[:3, 3] = (affine @ np.append(np.round((np.linalg.inv(affine) @ centre)[:3]) - half, 1))[:3]
    nx, ny, nz = (2 * half + 1).tolist()
    part = dataclasses.replace(scanner, grid=Grid((nx, ny, nz), affine))
    reference, activity = parcel_curves(one, told, frames)
    activity[raphe_number] = activity[midbrain] + share * (activity[raphe_number] - activity[midbrain])
    alpha = noise_level(frames, HALF_LIFE, reference, one.plan.noise.percent.value)
    streams = (np.random.default_rng([one.participant.index, seed, frame]) for frame in range(len(frames)))
    made = frames_of(part, anatomy, activity, frames, pose, HALF_LIFE, alpha, streams)
    image = DynamicImage(part.grid, frames, np.array([noisy for noisy, _ in made], dtype=np.float32), HALF_LIFE)
    to_pet = matrix @ np.linalg.inv(one.mri_pose.matrix(one.mri_pose.pose[0]))
    truth = bound(TACs(activity[[raphe_number]], frames, (NAME,), np.ones(1)), reference, told.k2_prime)
    return Case(image, to_pet, reference, told.k2_prime, truth)


def bound(curves: TACs, reference: Array, k2_prime: float) -> float:
    """BP_ND of the only region."""
    result, _ = raphe.fit(SRTM2(k2_prime=k2_prime), curves, reference=reference, half_life=HALF_LIFE)
    value, _ = result.of("BP_ND")
    return float(value[0])


def raphe_of(labels: Labels) -> Flags:
    return np.isin(labels.values, [number for number, name in labels.names.items() if region_key(name)[0] == NAME])


def one_raphe(labels: Labels, inside: Flags) -> Labels:
    """Labels with another raphe, both sides as one; what is no longer raphe goes to the nearest other region."""
    own = raphe_of(labels)
    nearest = ndimage.distance_transform_edt(own, return_distances=False, return_indices=True)
    values = labels.values[tuple(nearest)]
    names = {number: name for number, name in labels.names.items() if region_key(name)[0] != NAME}
    number = max(names) + 1
    return Labels(labels.grid, np.where(inside, np.int32(number), values), {**names, number: NAME})


def cropped(labels: Labels, size: float) -> Labels:
    index = np.argwhere(raphe_of(labels)).mean(axis=0)
    reach = 0.4 * size / np.array(labels.grid.zooms)
    low, high = np.maximum(index - reach, 0).astype(int), np.minimum(index + reach, labels.grid.shape).astype(int)
    part = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    affine = labels.grid.affine.copy()
    affine[:3, 3] = (labels.grid.affine @ np.append(low, 1))[:3]
    values = labels.values[part]
    return Labels(Grid(values.shape, affine), values, labels.names)


def brightest(pet: Volume, labels: Labels, to_pet: Array, reach: float) -> Labels:
    """As many bright, connected voxels as the atlas has, grown from the brightest within a distance of its raphe."""
    own = raphe_of(labels)
    voxels = np.argwhere(ndimage.distance_transform_edt(~own, sampling=labels.grid.zooms) <= reach)
    places = (voxels @ labels.grid.affine[:3, :3].T + labels.grid.affine[:3, 3]) @ to_pet[:3, :3].T + to_pet[:3, 3]
    back = np.linalg.inv(pet.grid.affine)
    index = np.round(places @ back[:3, :3].T + back[:3, 3]).astype(int)
    value = np.full(labels.grid.shape, -np.inf)
    value[tuple(voxels.T)] = pet.values[tuple(np.clip(index, 0, np.array(pet.grid.shape) - 1).T)]
    inside = np.zeros(labels.grid.shape, dtype=bool)
    inside[np.unravel_index(int(value.argmax()), value.shape)] = True
    while inside.sum() < own.sum():
        edge = ndimage.binary_dilation(inside) & ~inside & np.isfinite(value)
        if not edge.any():
            break
        level = value[edge].max()
        inside |= edge & (value >= level)
    return one_raphe(labels, inside)


def judged(case: Case, labels: Labels, to_pet: Array, true: Flags, fwhm: float) -> list[float]:
    """Distance, mm, Dice, and errors of BP_ND in per cent of the truth, from the plain mean and by GTM."""
    own = raphe_of(labels)
    away = np.linalg.inv(case.to_pet) @ to_pet @ labels.grid.affine
    centre = (away @ np.append(np.argwhere(own).mean(axis=0), 1))[:3]
    right = (labels.grid.affine @ np.append(np.argwhere(true).mean(axis=0), 1))[:3]
    back = np.linalg.inv(labels.grid.affine) @ away
    placed = ndimage.affine_transform(own.astype(np.float32), np.linalg.inv(back), order=1) > 0.5
    dice = 2 * (placed & true).sum() / (placed.sum() + true.sum())
    shares, _ = region_shares(labels, case.image.grid, to_pet)
    plain, _ = extract_curves(case.image, shares.rows((NAME,)))
    made, _ = correct(case.image, setting_for(shares, (fwhm,) * 3), correction("GTM"))
    at = made.tacs.names.index(NAME)
    corrected = TACs(made.tacs.activity[[at]], plain.frames, (NAME,), plain.volumes)
    errors = [100 * (bound(one, case.reference, case.k2_prime) / case.truth - 1) for one in (plain, corrected)]
    return [float(np.linalg.norm(centre - right)), float(dice), *errors]


def _spread(errors: Array) -> str:
    low, middle, high = np.quantile(errors, [0.25, 0.5, 0.75])
    return f"{middle:+.0f} ({(high - low) / 2:.0f})"


def wrong_by(random: np.random.Generator, distance: float) -> Array:
    """Shift of a length in a random direction."""
    vector = random.standard_normal(3)
    return np.asarray(distance * vector / np.linalg.norm(vector))


def heads(options: argparse.Namespace) -> Iterator[tuple[Subject, list[ScanTruth], Labels, Flags, float]]:
    """People, labels as they are found and where the raphe is, both in the space of the MRI, and the brain's edge."""
    source = find_plan(options.plan)
    plan = parse_plan(source)
    atlas = next(one for one in catalog.atlases() if one.species == plan.study.species)
    files = {role: options.files / Path(file.path).name for role, file in atlas.files.items()} if options.files else {}
    template = read_template(atlas, files)
    for person in range(options.people):
        found = record(plan, options.seed, person)
        one = subject(plan, source.folder, options.seed, found.participant)
        grid = mri_grid(one.anatomy, protocol_of(plan)[0].mri_voxel.value)
        t1 = t1_image(one.anatomy, grid, one.mri_pose, np.random.default_rng(person))
        head, _ = prepare_anatomy(Volume(grid, np.asarray(t1, dtype=np.float32)), template)
        size = brain_edge(grid, head.brain)
        true = labels_on(one.anatomy, grid, one.mri_pose) == one.anatomy.number(NAME)
        whole = with_tissue(head)
        part = cropped(one_raphe(whole, raphe_of(whole)), size)
        low = np.round((np.linalg.inv(grid.affine) @ np.append(part.grid.affine[:3, 3], 1))[:3]).astype(int)
        box = tuple(slice(a, a + n) for a, n in zip(low, part.grid.shape, strict=True))
        yield one, list(found.truths), part, true[box], size


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", metavar="PLAN")
    parser.add_argument("--people", type=int, default=2)
    parser.add_argument("--scans", type=int, default=4, help="of each person and tracer")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--files", type=Path, help="folder of the atlas")
    parser.add_argument("--wrong", type=float, nargs="+", default=[0.0, 2.0, 4.0], help="mm")
    options = parser.parse_args()
    table: dict[tuple[str, ...], list[list[float]]] = defaultdict(list)
    for one, truths, labels, true, size in heads(options):
        fwhm = scanner_of(one.plan).fwhm
        for told, (binding, share), number in (
            (told, what, number) for told in truths for what in BINDING.items() for number in range(options.scans)
        ):
            case = scan(one, told, share, 1000 * number + int(100 * share))
            late = Volume(case.image.grid, mean_image(case.image, case.image.frames.start >= 10))
            for distance, what in (
                (d, w) for d in options.wrong for w in ("registration", "raphe") if d or w == "raphe"
            ):
                shift = wrong_by(np.random.default_rng([one.participant.index, number, int(10 * distance)]), distance)
                given, to_pet = labels, case.to_pet.copy()
                if what == "registration":
                    to_pet[:3, 3] += shift
                elif distance:
                    moved = ndimage.shift(raphe_of(labels).astype(float), shift / labels.grid.zooms, order=1) > 0.5
                    given = one_raphe(labels, moved)
                ways = {"atlas": given, "atlas and PET": raphe_on_pet(late, given, to_pet, size, (fwhm,) * 3)[0]}
                if what == "raphe":
                    ways["brightest voxels"] = brightest(late, given, to_pet, 0.04 * size)
                    ways["truth"] = one_raphe(labels, true)
                for way, regions in ways.items():
                    row = judged(case, regions, to_pet, true, fwhm)
                    table[told.tracer, binding, f"{what} {distance:g} mm", way].append(row)
        print(f"{one.participant.label} is done", flush=True)
    header = ["tracer", "raphe above midbrain", "wrong", "region", "mm", "Dice", "BP_ND, %", "GTM, %", "n"]
    rows = []
    for key, found in table.items():
        mm, dice, *errors = np.array(found).T
        rows.append([*key, f"{mm.mean():.2f}", f"{dice.mean():.2f}", *map(_spread, errors), str(len(found))])
    print_table("The dorsal raphe against the truth", header, rows)


if __name__ == "__main__":
    main()

"""``raphe map`` against noise: smoothing before the fit and averaging after it, as its user meets them."""

import json

import nibabel
import numpy as np
import pytest

SHAPE = (16, 15, 14)
SPLIT = 8
"""Where one region ends and the next begins, along the first axis."""


@pytest.fixture
def two(scan):
    """An image of two regions in a box, with noise, and a mask of the box."""
    curves = {
        name: np.array([float(row[at]) for row in scan.files.rows()[1:]])
        for at, name in enumerate(scan.files.rows()[0])
    }
    data = np.zeros((*SHAPE, len(curves["putamen"])))
    data[1:SPLIT, 1:-1, 1:-1], data[SPLIT:-1, 1:-1, 1:-1] = curves["putamen"], curves["hippocampus"]
    inside = data.any(axis=-1)
    noise = 0.05 * data[inside].mean(axis=0) * np.random.default_rng(4).normal(size=(inside.sum(), data.shape[-1]))
    data[inside] += noise
    scan.save(data)
    scan.mask("box", inside)
    return inside


@pytest.fixture
def made(scan, raphe, two):
    """Map with options, and give BP_ND, its standard error, and what the sidecar says."""

    def run(*words):
        out = scan.folder / ("out" + "".join(words).replace("-", "").replace(".", ""))
        ended = raphe(
            "map", scan.pet, "--model", "SRTM", "--reference", scan.reference,
            "--mask", scan.folder / "box_mask.nii.gz", "--out", out, *words,
        )  # fmt: skip
        assert ended.code == 0, ended.err
        value, se = (next(out.glob(f"*_meas-BPND{stat}_mimap.nii.gz")) for stat in ("", "_stat-se"))
        told = json.loads(next(out.glob("*_meas-BPND_mimap.json")).read_text())
        return np.asarray(nibabel.load(value).dataobj), np.asarray(nibabel.load(se).dataobj), told

    return run


def inner(volume, side):
    """Values that are two voxels or more from any edge."""
    return volume[3 : SPLIT - 2, 3:-3, 3:-3] if side == 0 else volume[SPLIT + 2 : -3, 3:-3, 3:-3]


@pytest.mark.parametrize("words", [("--smooth", "4"), ("--hypr", "4"), ("--regularise",)], ids=" ".join)
def test_less_noise_and_a_standard_error_that_knows(made, two, words):
    plain, plain_se, _ = made()
    value, se, _ = made(*words)
    assert np.isnan(value[~two]).all()
    for side in (0, 1):
        assert np.nanstd(inner(value, side)) < 0.7 * np.nanstd(inner(plain, side))
        assert np.nanmedian(inner(se, side)) < 0.8 * np.nanmedian(inner(plain_se, side))
        assert np.nanmean(inner(value, side)) == pytest.approx(np.nanmean(inner(plain, side)), rel=0.05)


def test_regularising_keeps_an_edge_that_smoothing_blurs(made, two):
    plain, smooth, regular = (made(*words)[0] for words in ((), ("--smooth", "6"), ("--regularise",)))

    def step(volume):
        at = volume[SPLIT - 1 : SPLIT + 1, 3:-3, 3:-3]
        return float(np.nanmean(at[0]) - np.nanmean(at[1]))

    assert step(regular) > 0.85 * step(plain)
    assert step(smooth) < 0.7 * step(plain)


def test_sidecars_say_what_was_done(made):
    _, _, told = made("--smooth", "4.5")
    assert (told["FWHM"], told["FWHMUnits"], told["Kernel"]) == (4.5, "mm", "Gaussian, inside the mask")
    _, _, told = made("--hypr", "5", "--regularise")
    assert told["Kernel"] == "HYPR-LR, inside the mask"
    assert "averaged over neighbours" in told["Regularised"]
    assert any("HYPR" in one for one in told["References"])
    _, _, told = made()
    assert not {"FWHM", "Kernel", "Regularised"} & set(told)


def test_what_cannot_be_smoothed_is_refused(scan, two, refused):
    base = ("map", scan.pet, "--model", "SRTM", "--reference", scan.reference, "--out", scan.folder / "no")
    refused(*base, "--smooth", "0", words=["--smooth", "positive"])
    refused(*base, "--smooth", "4", "--hypr", "4", words=["--hypr", "not allowed with", "--smooth"])

"""A participant of phantom images with a segmentation, written as a test wants them, whose head is given."""

import json

import nibabel
import numpy as np

from phantom_head import FRAMES, curves, grid, places, tissues
from raphe.data.alignment import Field, Warp
from raphe.data.volume import Labels, Volume
from raphe.io.provenance import read_record
from raphe.io.raw_scans import find_raw_scans
from raphe.io.tables import read_table
from raphe.pipeline.prepare_head import HeadTask
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.pipeline.preprocess_scan import preprocess_scan
from raphe.pipeline.raw_task import RawTask
from raphe.preprocess.anatomy import Head

T1 = grid(3.0, (58, 66, 58))
PET = grid(4.0, (44, 52, 44))
REGIONS = {1: "frontal", 2: "left_caudate", 3: "right_caudate", 4: "cerebellar_grey", 5: "white", 6: "fluid"}
STEM = "sub-01_ses-a_trc-DASB"


def head():
    cortex, nuclei, white, fluid = tissues(places(T1))
    brain = cortex + nuclei + white + fluid > 0.5
    maps = (Volume(T1, (one * brain).astype(np.float32)) for one in (cortex + nuclei, white, fluid))
    noise = 0.02 * np.random.default_rng(1).standard_normal(T1.shape)
    t1 = 0.7 * cortex + 0.75 * nuclei + white + 0.2 * fluid + noise
    field = Field(T1, places(T1).astype(np.float32))
    labels = Labels(T1, np.zeros(T1.shape, dtype=np.int32), {1: "atlas"})
    return Head(Volume(T1, (1000 * t1).astype(np.float32)), brain, *maps, Warp("MNI", field, field), labels, ())


def drawn():
    """Numbers of the regions on the MRI, each where its tissue is most of it."""
    at, shares = places(T1), tissues(places(T1))
    nucleus = np.where(at[..., 2] < -15, 4, np.where(at[..., 0] < 0, 2, 3))
    numbers = np.select([shares[0] > 0.5, shares[1] > 0.5, shares[2] > 0.5, shares[3] > 0.5], [1, nucleus, 5, 6], 0)
    return numbers.astype(np.int32)


def activity(of=PET):
    noise = 0.4 * np.random.default_rng(3).standard_normal((len(FRAMES), *of.shape))
    return np.tensordot(curves().T, tissues(places(of), 3.0), axes=1) + noise


DATA = activity().astype(np.float32)


class Study:
    """A participant with a segmentation, whose PET is written as a test wants it."""

    def __init__(self, root):
        self.root, self.out = root, root / "out"
        anat = root / "sub-01/ses-a/anat"
        anat.mkdir(parents=True)
        nibabel.save(nibabel.Nifti1Image(head().t1.values, T1.affine), anat / "sub-01_ses-a_T1w.nii.gz")
        nibabel.save(nibabel.Nifti1Image(drawn(), T1.affine), anat / "sub-01_ses-a_seg-mine_dseg.nii.gz")
        rows = "".join(f"{number}\t{name}\n" for number, name in REGIONS.items())
        (anat / "sub-01_ses-a_seg-mine_dseg.tsv").write_text(f"index\tname\n{rows}", encoding="utf-8")

    def write(
        self, data=DATA, affine=PET.affine, frames=FRAMES, *,
        folder=None, name="pet", qform=None, dtype="f4", session="a",
    ):  # fmt: skip
        """Write image and sidecar into the data set, or another folder."""
        stem = STEM.replace("ses-a", f"ses-{session}")
        path = (folder or self.root) / f"sub-01/ses-{session}/pet" / f"{stem}_{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        header = nibabel.Nifti1Header()
        header.set_data_dtype(dtype)
        image = nibabel.Nifti1Image(np.moveaxis(data, 0, -1), affine, header)
        image.set_sform(affine, 1)
        image.set_qform(affine if qform is None else qform, 1)
        nibabel.save(image, path)
        fields = {
            "Units": "kBq/mL", "TracerName": "DASB", "TracerRadionuclide": "C11", "InjectionStart": 0,
            "ImageDecayCorrected": True, "ImageDecayCorrectionTime": 0,
            "FrameTimesStart": (60 * frames.start).tolist(), "FrameDuration": (60 * frames.duration).tolist(),
        }  # fmt: skip
        path.with_name(f"{stem}_{name}.json").write_text(json.dumps(fields), encoding="utf-8")
        return path

    def run(self, *derivatives):
        (raw,) = find_raw_scans(self.root, derivatives)
        choices = Preprocessing(pvc=())
        task = HeadTask(self.root, raw.t1, choices, self.out, "", {}, "")
        return preprocess_scan(
            RawTask(raw, self.root, derivatives, choices, task, self.out, "", {"raw": self.root}, "raphe run")
        )

    def file(self, rest):
        return self.out / "sub-01/ses-a/pet" / f"{STEM}_{rest}"

    def curves(self, rest="seg-mine_desc-preproc_tacs.tsv"):
        table = read_table(self.file(rest))
        return {name: table.floats(name) for name in table.columns if not name.startswith("frame_")}

    def step(self, name):
        steps = read_record(self.out / "provenance" / f"{STEM}_preproc.json").steps
        return next((step for step in steps if step.name == name), None)

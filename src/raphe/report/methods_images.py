"""Sentences of the methods text about images: head, motion, registration, regions, partial volumes."""

from __future__ import annotations

from raphe.data.record import Parameter
from raphe.report.methods_words import Steps, between, in_each, of_tracer, plain
from raphe.report.wording import general, listed


def bias_field(steps: Steps) -> str:
    """Tell what was done to the brightness of the MRI."""
    return "The bias field of the T1-weighted images was removed (N4)."


def normalise(steps: Steps) -> str:
    """Tell how heads went to the template."""
    get = steps[0].parameters.get
    return (
        f"Each head was registered to the template {get('template')}, first by an affine transform with mutual "
        "information, then by a symmetric diffeomorphic one with cross-correlation."
    )


def nuclei(steps: Steps) -> str:
    """Tell how nuclei were brought in place."""
    regions = steps[0].parameters.get("regions")
    named = listed([str(one) for one in regions]) if isinstance(regions, list | tuple) else ""
    told = (
        "Registration was then repeated against the template as the head itself would show it, its regions and tissues "
        f"painted with the brightness that they have in the head, and refined so around {named}."
    )
    if "unsure" not in steps[0].parameters:
        return told
    return (
        f"{told} Each voxel near their surfaces then took what was most probable by brightness, the template's maps of "
        f"tissue, and the warp, whose surfaces were unsure by {between(steps, 'unsure', 2)} mm (SD, what made the "
        "brightness around them most likely)."
    )


def atlas(steps: Steps) -> str:
    """Tell where regions and brain masks come from."""
    get = steps[0].parameters.get
    return (
        f"Brain mask ({between(steps, 'brain_ml')} mL) and regions of the atlas {get('atlas')} were carried back to "
        f"each "
        "head; its cortex and cerebellum follow the grey matter of the head, by a mixture of three tissues with the "
        f"template's as prior where it has them.{_others(steps)}"
    )


def supplement(steps: Steps) -> str:
    """Tell how regions of a further atlas came to the template."""
    get = steps[0].parameters.get
    regions = get("regions")
    named = listed([str(one) for one in regions]) if isinstance(regions, list | tuple) else ""
    return (
        f"Regions of the atlas {get('atlas')} ({named}) were brought to the template by registering its T1-weighted "
        "average (affine, then symmetric diffeomorphic), which moved the centres of regions by "
        f"{between(steps, 'moved', 2)} mm at most."
    )


def segmentation(steps: Steps) -> str:
    """Tell that the regions are the user's."""
    seg, file = (steps[0].parameters.get(key) for key in ("seg", "file"))
    return f"Regions are those of the segmentation {seg} ({file}) in the data set or its derivatives."


def grey_only(steps: Steps) -> str:
    """Tell which voxels of the MRI count for a region."""
    least = between(steps, "least")
    return f"Of every region, voxels of the MRI count whose probability of grey matter is {least} or more."


def regions_from_pet(steps: Steps) -> str:
    """Tell how regions were found without an MRI."""
    get = steps[0].parameters.get
    return (
        f"Without a T1-weighted image, regions of the atlas {get('atlas')} were found by registering the late PET to "
        f"the "
        f"image that the tracer is expected to give: the atlas filled with the catalog's binding, {get('usual')} where "
        f"it "
        f"knows none, and {get('white')} times the reference where no region is (assumptions).{_others(steps)}"
    )


def _others(steps: Steps) -> str:
    """Tell which regions are not the atlas's own; begins with a space."""
    others = steps[0].parameters.get("other_regions")
    if not isinstance(others, list | tuple) or not others:
        return ""
    return f" Not the atlas's own are {listed([str(one) for one in others])}."


def head_motion(steps: Steps) -> str:
    """Tell whether and how motion was corrected."""
    get = steps[0].parameters.get
    if not get("estimated"):
        why = get("why") or "there was one frame, or no brain in it"
        return f"Head motion between frames was not corrected here{of_tracer(steps)} ({why})."
    return (
        f"Head motion between frames{of_tracer(steps)} was corrected{in_each(steps)}: each frame was held, in blocks "
        f"of a "
        f"sixth of the brain's edge, against a mean of frames near it in time, with coefficients of each block's own; "
        "positions of all frames were weighed against a random walk with long tails. The reference is the mean "
        f"position "
        f"of the frames after {between(steps, 'late')} min. Largest displacement between frames: "
        f"{between(steps, 'largest', 2)} mm; frames that tell nothing of their own: {between(steps, 'held')}."
    )


def register(steps: Steps) -> str:
    """Tell how PET and MRI were brought together."""
    return (
        f"The late mean of the PET{of_tracer(steps)} was registered rigidly to the T1-weighted image{in_each(steps)}, "
        f"by "
        f"mutual information from {between(steps, 'starts')} starts and then block by block; the MRI explains "
        f"{between(steps, 'score', 2)} of the PET's variance within blocks."
    )


def in_space(steps: Steps) -> str:
    """Tell that another program had brought PET and MRI together."""
    return (
        f"The PET{of_tracer(steps)} lay in the space of the T1-weighted image{in_each(steps)} and was taken as it "
        f"lies; the MRI explains {between(steps, 'score', 2)} of the PET's variance within blocks."
    )


def raphe_region(steps: Steps) -> str:
    """Tell where the dorsal raphe was looked for, and what that means for its binding."""
    if not steps[0].parameters.get("found"):
        return ""
    shift, usual = between(steps, "shift", 2), between(steps, "usual", 2)
    return (
        f"The dorsal raphe, which MRI does not show, is the shape of the atlas, displaced{in_each(steps)}"
        f" by {shift} mm to where the late PET{of_tracer(steps)} and the atlas together have it (posterior mean; SD of "
        f"{usual} mm along each axis around the atlas, an assumption); activity there is above that around it by "
        f"{between(steps, 'contrast', 2)} of the median nearby. The scan that places the region also measures it: "
        "where less binds, the region falls back to the atlas, so that a change of its binding holds some change of "
        "its place."
    )


def regions_on_pet(steps: Steps) -> str:
    """Tell how regions and voxels go together."""
    return (
        f"Each voxel of the PET counts for a region by the share of {between(steps, 'samples')} points in it that are."
    )


def reference_region(steps: Steps) -> str:
    """Tell what the reference region is."""
    away, middle, share = (between(steps, key, 2) for key in ("away", "vermis", "share"))
    return (
        f"The reference region{of_tracer(steps)} is cerebellar grey matter at least {away} mm from temporal and "
        f"occipital "
        f"cortex and {middle} mm from the middle ({share} of it)."
    )


def corrected_reference(steps: Steps) -> str:
    """Tell what the reference region is where partial volumes are corrected."""
    if not steps[0].parameters.get("found"):
        return ""
    away, middle, share = (between(steps, key, 2) for key in ("away", "vermis", "share"))
    return (
        f"Where partial volumes were corrected, it reaches to {away} mm from cortex and {middle} mm from the middle "
        f"({share} of cerebellar grey matter) and is a region apart from the rest of the cerebellum, where labels of "
        "cortex and cerebellum may be wrong."
    )


def denoise(steps: Steps) -> str:
    """Tell what was done against noise before curves were taken."""
    get = steps[0].parameters.get
    width = general(float(str(get("fwhm"))))
    return f"Before curves were taken, frames were treated by {get('kernel')} inside the brain, {width} mm FWHM."


def pvc(steps: Steps) -> str:
    """Tell how partial volumes were corrected."""
    get = steps[0].parameters.get
    how = f"{get('title')} ({get('method')}), FWHM {_width(get('fwhm'))} mm"
    if get("off_centre") is not None:
        how += f" in the centre and {_width(get('fwhm_off_centre'))} mm at {plain(get('off_centre'))} mm from the axis"
    return f"Partial volumes{of_tracer(steps)} were corrected by {how}."


def _width(fwhm: Parameter) -> str:
    """Width along the axes, once where it is the same along all."""
    if isinstance(fwhm, tuple) and len(set(fwhm)) == 1:
        return plain(fwhm[0])
    return plain(fwhm)


def nothing(steps: Steps) -> str:
    """Say nothing."""
    return ""


WRITERS = {
    "bias_field": bias_field,
    "normalise": normalise,
    "nuclei": nuclei,
    "atlas": atlas,
    "supplement": supplement,
    "segmentation": segmentation,
    "grey_only": grey_only,
    "regions_from_pet": regions_from_pet,
    "head": nothing,
    "read_image": nothing,
    "head_motion": head_motion,
    "register": register,
    "in_space": in_space,
    "raphe_region": raphe_region,
    "regions_on_pet": regions_on_pet,
    "reference_region": reference_region,
    "corrected_reference": corrected_reference,
    "extract": nothing,
    "denoise": denoise,
    "pvc": pvc,
    "preprocessed": nothing,
}
"""Who writes the text of each step."""

VARYING = {
    "normalise": ("information",),
    "nuclei": ("unsure",),
    "atlas": ("brain_ml", "doubts"),
    "head": ("record",),
    "head_motion": ("held", "largest", "n_frames", "late"),
    "register": ("score", "apart", "mirrored", "doubts"),
    "in_space": ("score", "apart", "mirrored", "doubts"),
    "regions_from_pet": ("information",),
    "raphe_region": ("shift", "left", "usual", "contrast", "doubts"),
    "regions_on_pet": ("tracer",),
    "reference_region": ("share", "away", "vermis", "doubts"),
    "corrected_reference": ("share", "away", "vermis", "doubts"),
    "preprocessed": ("doubts", "cut_off"),
}
"""Settings that vary from scan to scan."""

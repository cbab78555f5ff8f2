"""The template of a study, with the regions of other atlases brought to it once and kept in the output."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from raphe.catalog import reference
from raphe.data.record import Step
from raphe.data.template import Template
from raphe.data.volume import Labels
from raphe.errors import InputError
from raphe.io import derivatives as names
from raphe.io.label_images import read_labels
from raphe.io.provenance import fingerprint, is_done, read_record, sha256, write_record
from raphe.io.staging import staged
from raphe.io.supplements import read_supplement
from raphe.io.templates import read_template, sources_of_shapes
from raphe.io.volumes import write_labels
from raphe.pipeline.atlas_choice import Supply, atlas_of, main_files, paths_of, supplies_of
from raphe.pipeline.preprocess_choices import Preprocessing
from raphe.preprocess.supplement import brought_to, step_of, supplemented


def template_of(
    choices: Preprocessing, out: Path, datasets: Mapping[str, Path], command_line: str
) -> tuple[Template, tuple[Step, ...]]:
    """Template that goes with the choices, with all its regions.

    Regions of other atlases are brought to it by registering the two average heads. That is done once for an output
    and kept there, with a record of its own.

    Parameters
    ----------
    choices : Preprocessing
    out : Path
        The output.
    datasets : mapping of str to Path
        For the sources in sidecars.
    command_line : str

    Returns
    -------
    Template
    tuple of Step
        How regions of other atlases came to it; empty where there are none.

    Raises
    ------
    InputError
        As :func:`raphe.io.templates.read_template`, :func:`raphe.io.supplements.read_supplement`, and if an image does
        not look like the template's.
    """
    supplies = supplies_of(choices)
    atlas = atlas_of(choices)
    drawn = {region for one in supplies for region in one.regions}
    rest = atlas.model_copy(update={"shape": tuple(shape for shape in atlas.shape if shape.name not in drawn)})
    template, steps = read_template(rest, main_files(choices)), list[Step]()
    bare = template
    for one in supplies:
        labels, step = _on_template(one, bare, choices, out, datasets, command_line)
        template = supplemented(template, labels, one.atlas.name)
        steps.append(step)
    return template, tuple(steps)


def region_sources(choices: Preprocessing) -> dict[str, str]:
    """Where regions come from that are not of the atlas itself, by their plain names."""
    given = {
        region: f"{one.atlas.name}: {reference(one.atlas.source).citation}"
        for one in supplies_of(choices)
        for region in one.regions
    }
    return {**sources_of_shapes(atlas_of(choices)), **given}


def _on_template(
    one: Supply, template: Template, choices: Preprocessing, out: Path, datasets: Mapping[str, Path], command_line: str
) -> tuple[Labels, Step]:
    """Regions of an atlas on the template's grid, as they were kept, or brought there now."""
    stem = f"tpl-{names.label(template.space)}_seg-{names.label(one.atlas.name)}"
    record, settings = names.provenance(out, stem), {"atlas": template.name, "regions": one.regions}
    mark = fingerprint({role: sha256(path) for role, path in paths_of(choices).items()}, settings)
    path = names.on_template(out, template.space, one.atlas.name)
    if is_done(record, mark, out):
        return read_labels(path), read_record(record).steps[0]
    t1, labels = read_supplement(one.atlas, one.files, one.regions)
    try:
        brought = brought_to(template, t1, labels)
    except InputError as error:
        field = f"[preprocess.files] {one.atlas.role('t1')} = {str(one.files['t1'])!r}"
        raise InputError(f"{field}: {error}") from None
    step = step_of(one.atlas.name, one.atlas.source, brought)
    about = {
        "Sources": [names.source_uri(file, datasets) for file in one.files.values()],
        "Description": f"Regions of {one.atlas.label} in the space {template.space}",
    }
    with staged(out) as stage:
        made = names.on_template(stage, template.space, one.atlas.name)
        write_labels(made, brought.labels, about)
        table = made.with_name(made.name.removesuffix(".nii.gz") + ".tsv")
        files = [made, names.map_sidecar(made), table]
        write_record(
            names.provenance(stage, stem), (step,), fingerprint=mark, root=stage, outputs=files,
            command_line=command_line,
        )  # fmt: skip
    return brought.labels, step

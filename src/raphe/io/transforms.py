"""Rigid and affine transforms as ITK text files, which ANTs, fMRIPrep and PETPrep read and write.

Their coordinates run to the left and to the back (LPS), ours to the right and to the front (RAS). A file named
``from-A_to-B_mode-image`` resamples images of A onto grids of B: its matrix takes places of B to places of A.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from raphe.errors import InputError
from raphe.io.tables import read_text, write_text

Array = npt.NDArray[np.float64]

HEADER = "#Insight Transform File V1.0"
KIND = "MatrixOffsetTransformBase_double_3_3"
KINDS = ("MatrixOffsetTransformBase", "AffineTransform")

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_transforms(path: Path, matrices: Sequence[Array]) -> None:
    """Write one transform, or one for each frame.

    Parameters
    ----------
    path : Path
    matrices : sequence of ndarray, each of shape (4, 4), mm to mm
        From places of A to places of B, for a file ``from-A_to-B_mode-image``.

    Raises
    ------
    OutputError
        If the place cannot be written to.
    """
    lines = [HEADER]
    for number, matrix in enumerate(matrices):
        pull = TO_LPS @ np.linalg.inv(matrix) @ TO_LPS
        values = [*pull[:3, :3].ravel(), *pull[:3, 3]]
        lines += [
            f"#Transform {number}",
            f"Transform: {KIND}",
            f"Parameters: {' '.join(f'{value:.12g}' for value in values)}",
            "FixedParameters: 0 0 0",
        ]
    write_text(path, "\n".join(lines) + "\n")


def read_transforms(path: Path) -> tuple[Array, ...]:
    """Read what :func:`write_transforms`, or a program that uses ITK, wrote; matrices as there.

    Raises
    ------
    InputError
        If the file cannot be read, or holds something else than matrices with their centres.
    """
    lines = read_text(path).splitlines()
    if not lines or lines[0].strip() != HEADER:
        raise InputError(f"{path} is no ITK transform file (its first line is not {HEADER!r}); write it as text")
    found: list[Array] = []
    kind, values = "", np.zeros(0)
    for number, line in enumerate(lines[1:], start=2):
        key, _, rest = line.partition(":")
        if key == "Transform":
            kind = rest.strip()
        elif key == "Parameters":
            values = _numbers(path, number, rest)
        elif key == "FixedParameters":
            found.append(_matrix(path, number, kind, values, _numbers(path, number, rest)))
    if not found:
        raise InputError(f"{path} holds no transform (no line FixedParameters); write it again")
    return tuple(found)


def _numbers(path: Path, line: int, text: str) -> Array:
    try:
        values = np.array([float(part) for part in text.split()])
    except ValueError:
        raise InputError(f"{path}, line {line}: {text.strip()!r} are no numbers; mend them") from None
    if not np.isfinite(values).all():
        raise InputError(f"{path}, line {line}: {text.strip()!r} are not all finite; mend them")
    return values


def _matrix(path: Path, line: int, kind: str, values: Array, centre: Array) -> Array:
    if not kind.startswith(KINDS) or values.size != 12 or centre.size < 3:
        raise InputError(
            f"{path}, line {line}: a transform {kind!r} with {values.size} parameters; one of {', '.join(KINDS)} "
            "with 12 was expected"
        )
    pull = np.eye(4)
    pull[:3, :3] = values[:9].reshape(3, 3)
    pull[:3, 3] = values[9:] + centre[:3] - pull[:3, :3] @ centre[:3]
    if abs(np.linalg.det(pull[:3, :3])) < 1e-6:
        raise InputError(f"{path}, line {line}: its matrix has no inverse; mend it")
    return np.asarray(np.linalg.inv(TO_LPS @ pull @ TO_LPS))

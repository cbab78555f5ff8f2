"""Head motion of a scan by elastix, in an environment of its own; run by ``benchmarks/preprocessing.py``, not by hand.

    PEER/bin/python benchmarks/peers/elastix_motion.py FRAMES.npz OUT.npz

FRAMES holds ``frames`` (n_frame, nx, ny, nz), ``reference`` (nx, ny, nz) and ``zooms``, mm. OUT gets ``matrices``
(n_frame, 4, 4), from places of the reference to those of each frame, mm from the first voxel, and the processor's
``seconds``. Each frame is registered to the reference by elastix's own rigid parameters: mutual information, four
resolutions. The environment needs itk-elastix.
"""

from __future__ import annotations

import sys
import time

import itk
import numpy as np


def rotation(x: float, y: float, z: float) -> np.ndarray:
    """Of ITK's Euler3DTransform: about y first, then x, then z."""
    (cx, cy, cz), (sx, sy, sz) = np.cos([x, y, z]), np.sin([x, y, z])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return about_z @ about_x @ about_y


def main() -> None:
    given, out = np.load(sys.argv[1]), sys.argv[2]

    def image(values: np.ndarray) -> object:
        made = itk.image_from_array(np.ascontiguousarray(values.T))  # ITK's first axis is NumPy's last
        made.SetSpacing(given["zooms"].astype(float))
        return made

    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap(parameters.GetDefaultParameterMap("rigid"))
    fixed, matrices, began = image(given["reference"]), [], time.process_time()
    for frame in given["frames"]:
        _, found = itk.elastix_registration_method(
            fixed, image(frame), parameter_object=parameters, log_to_console=False, number_of_threads=1
        )
        told = found.GetParameterMap(0)
        values = [float(one) for one in told["TransformParameters"]]
        centre = np.array([float(one) for one in told["CenterOfRotationPoint"]])
        matrix = np.eye(4)
        matrix[:3, :3] = rotation(*values[:3])
        matrix[:3, 3] = centre + values[3:] - matrix[:3, :3] @ centre
        matrices.append(matrix)
    np.savez(out, matrices=np.array(matrices), seconds=time.process_time() - began)


if __name__ == "__main__":
    main()

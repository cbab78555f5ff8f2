"""A writer of ECAT7 files for tests, from the layout that CTI gave: nothing of it is read by what is tested."""

import gzip
from pathlib import Path

import numpy as np
from nibabel.ecat import hdr_dtype, subhdr_dtype

BLOCK = 512
DECAY, MEASURED = 512, 2
HALF_LIFE = 1221.84
"""Of carbon-11, s."""


def decay_factor(start, duration, reference=0.0, half_life=HALF_LIFE):
    """Factor that corrects the counts of a frame to a moment, s."""
    rate = np.log(2) / half_life
    return float(np.exp(rate * (start - reference)) * rate * duration / -np.expm1(-rate * duration))


def write_ecat(
    path: Path,
    frames,
    schedule=None,
    *,
    scales=None,
    header=None,
    subheader=None,
    order=None,
    numbers=None,
    statuses=None,
    compress=False,
):
    """Write volumes of whole numbers, each of shape (x, y, z), as an ECAT7 image.

    ``schedule`` is start and duration in seconds, ``order`` the places of the frames in the file, ``header`` and
    ``subheader`` fields that are other than usual.
    """
    n = len(frames)
    schedule = schedule or [(10.0 * i, 10.0) for i in range(n)]
    main = np.zeros((), hdr_dtype.newbyteorder(">"))
    usual = {
        "magic_number": b"MATRIX72v",
        "sw_version": 72,
        "system_type": 962,
        "file_type": 7,
        "scan_start_time": 1_300_000_000,
        "isotope_name": b"C-11",
        "isotope_halflife": HALF_LIFE,
        "radiopharmaceutical": b"DASB",
        "ecat_calibration_factor": 2.0,
        "calibration_unitS": 1,
        "calibration_units_type": 1,
        "acquisition_type": 4,
        "patient_orientation": 3,
        "num_planes": frames[0].shape[2],
        "num_frames": n,
        "num_gates": 1,
        "dose_start_time": 1_300_000_000,
        "dosage": 370.0,
        "data_units": b"Bq/cc",
        "patient_name": b"A Person",
    }
    for field, value in (usual | (header or {})).items():
        main[field] = value
    body, rows = b"", []
    blocks = 1 + (n + 30) // 31  # the list of matrices
    for place in order if order is not None else range(n):
        volume, (start, duration) = frames[place], schedule[place]
        sub = np.zeros((), subhdr_dtype.newbyteorder(">"))
        known = {
            "data_type": 6,
            "num_dimensions": 3,
            **dict(zip(("x_dimension", "y_dimension", "z_dimension"), volume.shape, strict=True)),
            **dict(zip(("x_pixel_size", "y_pixel_size", "z_pixel_size"), (0.2, 0.3, 0.4), strict=True)),
            "scale_factor": 1.0 if scales is None else scales[place],
            "frame_start_time": round(1000 * start),
            "frame_duration": round(1000 * duration),
            "decay_corr_fctr": decay_factor(start, duration),
            "corrections_applied": DECAY + MEASURED,
        }
        for field, value in (known | (subheader or {})).items():
            sub[field] = value
        voxels = volume.astype(">i2").tobytes(order="F")
        first = 1 + blocks + len(body) // BLOCK
        body += sub.tobytes().ljust(BLOCK, b"\0") + voxels.ljust(-(-len(voxels) // BLOCK) * BLOCK, b"\0")
        number = place + 1 if numbers is None else numbers[place]
        rows.append((number, first, blocks + len(body) // BLOCK, 1 if statuses is None else statuses[place]))
    listed = b""
    for block in range(blocks - 1):
        part = rows[31 * block : 31 * block + 31]
        after = block + 3 if block + 2 < blocks else 2
        table = np.zeros((32, 4), ">i4")
        table[0] = 31 - len(part), after, 0, len(part)
        if part:
            table[1 : len(part) + 1] = part
        listed += table.tobytes()
    data = main.tobytes().ljust(BLOCK, b"\0") + listed + body
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data) if compress else data)
    return path

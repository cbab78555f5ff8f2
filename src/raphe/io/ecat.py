"""ECAT7 images (``.v``, plain or compressed), read by nibabel frame by frame, in the order of time and facing one way.

What nibabel leaves to its caller is done here. It gives the voxels of a head-first scan flipped and those of a scan of
unknown position as they are stored, with one and the same affine; it reads frames in the order of the file, trusts the
header's number of frames, and multiplies by the calibration factor whether or not the header says that it holds.

The file's axes run to the patient's left, back and feet where a person lies head first and supine. SPM, dcm2niix and
PET2BIDS read every file so. Here the other positions are turned as the patient was.
"""

from __future__ import annotations

import math
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, Any

import numpy as np
import numpy.typing as npt
from nibabel.ecat import BLOCK_SIZE, EcatHeader, EcatSubHeader, file_type_codes, read_mlist
from nibabel.orientations import apply_orientation, axcodes2ornt

from raphe.data.finding import Finding
from raphe.data.image import Grid
from raphe.errors import InputError
from raphe.io.decoded import decoded
from raphe.io.not_fetched import pointer

MAGIC = b"MATRIX7"
"""What an ECAT7 file begins with."""

VOLUMES = (6, 7)
"""Kinds of file whose matrices are whole volumes: of 8 and of 16 bits."""

READ = MappingProxyType({1: 1, 5: 4, 6: 2, 7: 4})
"""Types of voxels that are read, and their sizes: bytes, floats, whole numbers of 16 and 32 bits; none of a VAX."""

UNKNOWN_POSITION = 8

POSITIONS = MappingProxyType(
    {
        "HFS": (3, "LPI"),
        "HFP": (1, "RAI"),
        "FFS": (2, "RPS"),
        "FFP": (0, "LAS"),
        "HFDR": (5, "PRI"),
        "HFDL": (7, "ALI"),
        "FFDR": (4, "ARS"),
        "FFDL": (6, "PLS"),
    }
)
"""Position of the patient as DICOM spells it; its code in ECAT7, and where the axes of the file run then.

Head first, supine, is how SPM, dcm2niix and PET2BIDS read the file; the others are that, with the patient turned.
"""

_EXISTS = (1, 2)
_FRAME, _BED, _GATE = 0x1FF, (12, 0xF), (24, 0x3F)


@dataclass(frozen=True, eq=False)
class EcatFile:
    """An ECAT7 image whose headers were read, and whose file is open.

    Parameters
    ----------
    path : Path
    header : mapping of str to object
        Main header, by nibabel's names of its fields; texts without padding.
    frames : tuple of mapping of str to object
        Header of each frame, in the order of time.
    grid : Grid
        Of the volumes as they are given: to the right, front and top, with the middle of the image at 0.
    position : str
        A key of :data:`POSITIONS`.
    findings : tuple of Finding
        Warnings.
    """

    path: Path
    header: Mapping[str, Any]
    frames: tuple[Mapping[str, Any], ...]
    grid: Grid
    position: str
    findings: tuple[Finding, ...]
    _matrices: EcatSubHeader

    def volumes(self, factor: float = 1.0) -> Iterator[npt.NDArray[np.float32]]:
        """Each frame's numbers times its scale factor and ``factor``, shape ``grid.shape``.

        Raises
        ------
        InputError
            If a value is not a number.
        """
        orientation = axcodes2ornt(POSITIONS[self.position][1])
        for index, frame in enumerate(self.frames):
            values = self._matrices.raw_data_from_fileobj(index) * (float(frame["scale_factor"]) * factor)
            if not np.isfinite(values).all():
                raise InputError(
                    f"{self.path}: frame {index + 1} holds values that are no numbers; reconstruct it anew"
                )
            yield apply_orientation(values, orientation).astype(np.float32)


def is_ecat(path: Path) -> bool:
    """Whether a file begins as an ECAT7 file, compressed or not, or has the ending of one (``.v``)."""
    name = path.name.lower()
    if name.endswith((".v", ".v.gz")):
        return True
    try:
        with decoded(path) as file:
            head = bytearray(len(MAGIC))
            file.fill(memoryview(head))
    except (InputError, OSError):
        return False
    return bytes(head) == MAGIC


@contextmanager
def open_ecat(path: Path, position: str | None = None) -> Iterator[EcatFile]:
    """Read the headers of an ECAT7 image; its voxels can be read while it is open.

    Parameters
    ----------
    path : Path
    position : str, optional
        A key of :data:`POSITIONS`, over what the header says.

    Raises
    ------
    InputError
        If it is absent, damaged, cut short or no ECAT7 image of volumes, or its frames are not on one grid.
    """
    with _plain(path) as file:
        header = _header(path, file)
        rows, matrices = _in_time(header, _matrices(path, file), file)
        frames = tuple(_values(one) for one in matrices.subheaders)
        _check_frames(path, frames, rows, file.seek(0, 2))
        main = _values(header)
        position, doubts = _position(path, int(main["patient_orientation"]), position)
        if int(main["num_frames"]) != len(frames):
            told = f"the header says {main['num_frames']} frames, but the file holds {len(frames)}; is it complete?"
            doubts.append(Finding("warning", path, "num_frames", f"{path}: {told}"))
        yield EcatFile(path, main, frames, _grid(frames[0], position), position, tuple(doubts), matrices)


@contextmanager
def _plain(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading at any place; what is compressed is laid out in a temporary file."""
    with decoded(path) as coded:
        if coded.kind:
            with tempfile.TemporaryFile() as copy:
                buffer = memoryview(bytearray(1 << 20))
                while count := coded.fill(buffer):
                    copy.write(buffer[:count])
                yield copy
            return
    with path.open("rb") as file:
        yield file


def _header(path: Path, file: IO[bytes]) -> Any:
    file.seek(0)
    head = file.read(BLOCK_SIZE)
    if told := pointer(path, head, "image"):
        raise InputError(told)
    if not head.startswith(MAGIC):
        raise InputError(
            f"{path} is not an ECAT7 file: it begins with {head[:10]!r}, not with {MAGIC.decode()!r}; an ECAT6 file "
            "has to be converted first, e.g. by Turku's e63to7"
        )
    if len(head) < BLOCK_SIZE:
        raise InputError(f"{path} is cut short: its header has {len(head)} of {BLOCK_SIZE} bytes; copy the file again")
    header = EcatHeader(head[: EcatHeader.template_dtype.itemsize], endianness=">")
    kind = int(header["file_type"])
    if kind not in VOLUMES:
        what = file_type_codes.get(kind, "of no known kind") if kind != 0 else "of no known kind"
        raise InputError(
            f"{path} is not an image of volumes but {what} (file_type {kind}); give the reconstructed image"
        )
    return header


def _matrices(path: Path, file: IO[bytes]) -> npt.NDArray[np.int32]:
    """Rows of the list of matrices that are there: number, first and last block, status."""
    rows = _directory(path, file)
    rows = rows[np.isin(rows[:, 3], _EXISTS) & (rows[:, 1] > 0)]
    if not len(rows):
        raise InputError(f"{path} holds no frame: its list of matrices is empty; is it an aborted reconstruction?")
    for shift, mask, what in ((*_GATE, "gates"), (*_BED, "bed positions")):
        found = {int(one) >> shift & mask for one in rows[:, 0]}
        if len(found) > 1:
            raise InputError(f"{path} holds {len(found)} {what}; raphe reads one: export the one that is meant")
    end = file.seek(0, 2)
    if (rows[:, 1].astype(np.int64) * BLOCK_SIZE > end).any():
        raise InputError(f"{path} is cut short: it has {end} bytes, and a frame begins after them; copy the file again")
    return rows


def _in_time(header: Any, rows: npt.NDArray[np.int32], file: IO[bytes]) -> tuple[npt.NDArray[np.int32], EcatSubHeader]:
    """Frames in the order of time, of which nibabel is to flip none."""
    plain = header.copy()
    plain["patient_orientation"] = UNKNOWN_POSITION
    start = [int(one["frame_start_time"]) for one in EcatSubHeader(plain, rows, file).subheaders]
    rows = rows[np.lexsort((rows[:, 0] & _FRAME, np.array(start)))]
    return rows, EcatSubHeader(plain, rows, file)


def _directory(path: Path, file: IO[bytes]) -> npt.NDArray[np.int32]:
    """List the matrices, once it is sure that the list has an end."""
    seen, block = set[int](), 2
    while block > 2 or not seen:
        file.seek((block - 1) * BLOCK_SIZE)
        first = np.frombuffer(file.read(16).ljust(16, b"\0"), dtype=">i4")
        if block in seen or first[0] + first[3] != 31:
            raise InputError(f"{path}: its list of matrices is damaged (block {block}); copy the file again")
        seen.add(block)
        block = int(first[1])
    try:
        return np.asarray(read_mlist(file, ">"))
    except (TypeError, ValueError):
        raise InputError(f"{path} is cut short within its list of matrices; copy the file again") from None


def _check_frames(path: Path, frames: Sequence[Mapping[str, Any]], rows: npt.NDArray[np.int32], end: int) -> None:
    first = frames[0]
    for index, frame in enumerate(frames):
        where = f"{path}: frame {index + 1}"
        if int(frame["data_type"]) not in READ:
            raise InputError(
                f"{where}: its voxels are of the type {frame['data_type']}; raphe reads {', '.join(map(str, READ))}"
            )
        shape = _shape(frame)
        sizes = [float(frame[f"{axis}_pixel_size"]) for axis in "xyz"]
        if min(shape) < 1 or not all(math.isfinite(size) and 0 < size < 100 for size in sizes):
            raise InputError(f"{where}: {shape} voxels of {sizes} cm cannot be; is the header damaged?")
        if shape != _shape(first) or any(frame[f"{a}_pixel_size"] != first[f"{a}_pixel_size"] for a in "xyz"):
            raise InputError(f"{where} is on another grid than frame 1; give a file of frames on one grid")
        if not math.isfinite(float(frame["scale_factor"])) or float(frame["scale_factor"]) <= 0:
            raise InputError(f"{where}: scale_factor is {frame['scale_factor']}, so its numbers mean nothing")
        stop = int(rows[index][1]) * BLOCK_SIZE + math.prod(shape) * READ[int(frame["data_type"])]
        if stop > end:
            raise InputError(f"{where} is cut short: the file ends {stop - end} bytes too early; copy it again")


def _shape(frame: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(frame[f"{axis}_dimension"]) for axis in "xyz")


def _position(path: Path, code: int, given: str | None) -> tuple[str, list[Finding]]:
    told = next((name for name, (number, _) in POSITIONS.items() if number == code), None)
    if given is not None or told == "HFS":
        return given or "HFS", []
    if told is None:
        what = (
            "the header does not say how the patient lay (patient_orientation "
            f"{code}); the voxels were turned as for HFS, head first and supine"
        )
    else:
        what = f"the header says that the patient lay {told} (patient_orientation {code}); the voxels were turned so"
    doubt = f"{path}: {what}. Look whether left is left, and say it (--position {told or 'HFS'}) to be rid of this"
    return told or "HFS", [Finding("warning", path, "patient_orientation", doubt)]


def _grid(frame: Mapping[str, Any], position: str) -> Grid:
    shape = np.array(_shape(frame))
    sizes = np.array([10.0 * float(frame[f"{axis}_pixel_size"]) for axis in "xyz"])
    order = np.argsort(axcodes2ornt(POSITIONS[position][1])[:, 0])
    shape, sizes = shape[order], sizes[order]
    affine = np.diag([*sizes, 1.0])
    affine[:3, 3] = -(shape - 1) / 2 * sizes
    x, y, z = shape.tolist()
    return Grid((x, y, z), affine)


def _values(header: Any) -> Mapping[str, Any]:
    """Fields of a header as plain numbers and texts."""
    array = getattr(header, "structarr", header)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {name: array[name].tolist() for name in array.dtype.names if name not in ("fill", "fill2")}
    texts = {k: v.split(b"\0")[0].decode("latin-1").strip() for k, v in found.items() if isinstance(v, bytes)}
    return MappingProxyType({**found, **texts})

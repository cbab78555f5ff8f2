"""How many voxels fit into a limit."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from raphe import arguments
from raphe.errors import InputError
from raphe.kinetics.voxelwise import CHUNK
from raphe.pipeline import memory


def test_voxels_at_once_are_all_or_whole_chunks(monkeypatch):
    monkeypatch.setattr(memory, "held", lambda: 100_000_000)
    assert memory.voxels_at_once(200_000, 38, 50, 1, 10**10) == 200_000
    few = memory.voxels_at_once(5_000_000, 38, 50, 1, 10**9)
    assert few % CHUNK == 0
    assert 0 < few < 5_000_000
    more = memory.voxels_at_once(5_000_000, 38, 50, 1, int(1.2 * 10**9))
    assert more > few
    taken = 100_000_000 + memory.SPARE + memory.WORKING + 5_000_000 * 58 + few * (4 * 38 + 8)
    assert taken <= 10**9
    with pytest.raises(InputError, match=r"500M of memory are too little for 5000000 voxels.*at least"):
        memory.voxels_at_once(5_000_000, 38, 50, 1, 5 * 10**8)


def test_threads_that_do_not_fit_are_not_started(monkeypatch):
    monkeypatch.setattr(memory, "held", lambda: 100_000_000)
    assert memory.threads(10**9, 1) == 1
    assert 100_000_000 + memory.SPARE + memory.threads(10**9, 64) * memory.WORKING <= 10**9
    assert memory.threads(10**12, 64) == 64


def test_what_is_held_is_told():
    before = memory.held()
    block = np.ones(20_000_000, dtype=np.float64)
    assert 140e6 < memory.held() - before < 200e6
    assert block.sum() > 0
    assert memory.limit_of(123) == 123
    assert memory.limit_of(None) > memory.held()


@pytest.mark.parametrize(
    ("text", "size"), [("1G", 10**9), ("900M", 9 * 10**8), ("1.5g", 15 * 10**8), ("4096", 4096), ("2GB", 2 * 10**9)]
)
def test_sizes(text, size):
    assert arguments.size(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "1X", "nan"])
def test_what_is_no_size(text):
    with pytest.raises(Exception, match="not"):
        arguments.size(text)


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="this system does not tell the peak")
def test_the_limit_holds(scan, tmp_path):
    """The peak of a process with a limit stays below it, for an image that is larger than the limit leaves room for."""
    labels = np.kron(scan.labels, np.ones((12, 12, 12), dtype=np.int16))
    affine = np.diag([1.0, 1, 1, 1])
    data = scan.data
    curves = np.array([data[scan.labels == label][0] if label else 0 * data[0, 0, 0] for label in range(6)])
    scan.save(curves[labels].astype(np.float32), affine=affine)
    mask = scan.mask("large", labels > 0, affine=affine)
    limit = 345
    code = (
        "import sys; from raphe.cli import main; code = main(sys.argv[1:]);"
        "print(open('/proc/self/status').read().split('VmHWM:')[1].split()[0], file=sys.stderr); sys.exit(code)"
    )  # the peak that getrusage tells may be that of the process that started this one
    words = ["map", scan.pet, "--model", "SUVR", "--window", "40:70", "--mask", mask, "--reference", scan.reference]
    words += ["--out", scan.files.out, "--memory", f"{limit}M"]
    ended = subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "so as to stay within --memory" in ended.stderr
    assert 1024 * int(ended.stderr.split()[-1]) < limit * 1e6


def test_processes_that_run_beside_each_other_share_what_is_free(monkeypatch):
    monkeypatch.setattr(memory, "held", lambda: 10**8)
    monkeypatch.setattr(memory, "_free", lambda: 10**9)
    assert memory.limit_of(None) == 10**8 + 8 * 10**8
    assert memory.limit_of(None, beside=4) == 10**8 + 2 * 10**8
    assert memory.limit_of(123, beside=4) == 123

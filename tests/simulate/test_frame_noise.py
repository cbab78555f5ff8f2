import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from raphe.catalog import half_life
from raphe.core.frames import Frames
from raphe.data.tacs import TACs
from raphe.simulate.curves import NOISE_VOLUME, noise_level, noise_sd
from raphe.simulate.frame_noise import frame_to_frame, noise_percent
from raphe.simulate.plan_file import find_plan, parse_plan
from raphe.simulate.scans import frames_of_scan

C11 = half_life("C11")
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def frames() -> Frames:
    return frames_of_scan(parse_plan(find_plan("test-retest")), "DASB")


def curves(frames: Frames, n: int) -> TACs:
    smooth = 20 + 0.3 * frames.mid - 0.004 * frames.mid**2
    return TACs(np.tile(smooth, (n, 1)), frames, tuple(f"r{number}" for number in range(n)), None)


def test_a_smooth_curve_has_no_noise(frames: Frames) -> None:
    time, level = frame_to_frame(curves(frames, 1), C11)
    assert time.shape == (len(frames) - 3,)
    np.testing.assert_allclose(level, 0, atol=1e-9)


@pytest.mark.parametrize("volume", [500.0, 10_000.0, 80_000.0])
def test_the_noise_that_was_put_in_is_found_whatever_the_size_of_the_region(frames: Frames, volume: float) -> None:
    exact = curves(frames, 2000)
    volumes = np.full(len(exact.names), volume)
    alpha = noise_level(frames, C11, exact.activity[0], 2.0)
    sd = noise_sd(frames, C11, exact.activity, volumes, alpha)
    noisy = exact.activity + sd * np.random.default_rng(4).standard_normal(sd.shape)
    _, level = frame_to_frame(TACs(noisy, frames, exact.names, volumes), C11)
    assert np.sqrt(np.mean(level**2)) == pytest.approx(alpha * np.sqrt(NOISE_VOLUME / volume), rel=0.02)
    percent = noise_percent(level, frames, C11, float(exact.activity.max()), volumes)
    np.testing.assert_allclose(np.sqrt(np.mean(percent**2, axis=0)), 2.0, rtol=0.08)


def test_frames_without_activity_tell_nothing(frames: Frames) -> None:
    empty = curves(frames, 1)
    activity = empty.activity.copy()
    activity[0, 5] = 0.0
    _, level = frame_to_frame(TACs(activity, frames, empty.names, None), C11)
    assert np.isnan(level[0]).tolist() == [2 <= start <= 5 for start in range(len(frames) - 3)]


def test_simulated_curves_jump_from_frame_to_frame_like_real_ones(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    for name in ("simulated_noise", "tissues"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    benchmark = importlib.import_module("simulated_noise")
    real = benchmark.real_scans(shared_data / "tacs" / "dasb-test-retest")
    found = benchmark.ratios(benchmark.simulated_scans(40), real)
    assert found.keys() == benchmark.SIZES.keys()
    assert all(0.7 < ratio < 1.4 for by_stretch in found.values() for ratio in by_stretch.values()), found
    noisier = benchmark.ratios(benchmark.simulated_scans(40, percent=3.5), real)
    assert not any(0.7 < by_stretch["3-90 min"] < 1.4 for by_stretch in noisier.values()), noisier

"""Random numbers of a simulated study: a stream of its own for each place, seeded by where it stands in the plan."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Place(IntEnum):
    """What a stream is for; the number is a part of its seed and never changes."""

    PERSON = 0
    BETWEEN = 1
    WITHIN = 2
    BLOCK = 3
    NOISE = 4
    RESPONSE = 5
    TIMING = 6
    SYMPTOMS = 7
    DROPOUT = 8
    OTHERS = 9
    HEAD = 10
    POSE = 11
    MRI = 12
    FRAME = 13
    BLOOD = 14


def stream(seed: int, *place: int) -> np.random.Generator:
    """Random numbers of one place in the study, independent of all other places."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=place)))

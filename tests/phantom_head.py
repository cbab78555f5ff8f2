"""A head of two kinds of grey matter, white matter and fluid, made of smooth surfaces: no image is read."""

import numpy as np

from raphe.core.frames import Frames
from raphe.data.image import Grid

FRAMES = Frames(
    np.array([0, 0.5, 1, 2, 3, 5, 8, 12, 17, 22, 30, 40, 50.0]),
    np.array([0.5, 0.5, 1, 1, 2, 3, 4, 5, 5, 8, 10, 10, 10.0]),
)
SIZE = 4.0
SHAPE = (44, 52, 44)


def grid(zoom=SIZE, shape=SHAPE):
    affine = np.diag([zoom, zoom, zoom, 1.0])
    affine[:3, 3] = -zoom * (np.array(shape) - 1) / 2
    return Grid(shape, affine)


def places(of):
    index = np.moveaxis(np.indices(of.shape), 0, -1)
    return index @ of.affine[:3, :3].T + of.affine[:3, 3]


def tissues(at, width=1.5):
    """Shares of cortex, nuclei, white matter and fluid at places (..., 3), mm; asymmetric, with soft edges."""
    x, y, z = at[..., 0], at[..., 1], at[..., 2]

    def ball(centre, axes):
        r = np.sqrt(sum(((v - c) / a) ** 2 for v, c, a in zip((x, y, z), centre, axes, strict=True)))
        return 1 / (1 + np.exp((r - 1) * min(axes) / width))

    brain = ball((0, 0, 0), (66, 82, 62))
    fold = 6 * np.sin(x / 9) * np.sin(y / 11 + 1) * np.cos(z / 8)
    inner = 1 / (1 + np.exp((np.sqrt((x / 56) ** 2 + (y / 71) ** 2 + (z / 52) ** 2) - 1 + fold / 60) * 56 / width))
    nuclei = ball((24, 8, 2), (9, 16, 12)) + ball((-24, 8, 2), (9, 16, 12)) + ball((9, -40, -30), (20, 14, 10))
    fluid = ball((6, 2, 14), (6, 22, 8)) + ball((-6, 2, 14), (6, 18, 8))
    nuclei, fluid = np.clip(nuclei, 0, 1) * inner, np.clip(fluid, 0, 1) * inner
    white = np.clip(inner - nuclei - fluid, 0, 1)
    return np.stack([np.clip(brain - inner, 0, 1), nuclei, white, fluid])


def curves(frames=FRAMES):
    """Activity of the four tissues, kBq/mL: flow first, binding later."""
    t = frames.mid
    fast = 30 * (1 - np.exp(-t / 1.0))
    return np.stack(
        [
            fast * np.exp(-t / 90),
            fast * (0.7 + 0.6 * t / (t + 20)),
            0.4 * fast * np.exp(-t / 60),
            0.1 * fast * np.exp(-t / 80),
        ]
    )

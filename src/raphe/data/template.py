"""A template: images of an average head, and an atlas on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from raphe.data.volume import Labels, Volume


@dataclass(frozen=True, eq=False)
class Template:
    """Images of one space.

    Parameters
    ----------
    name : str
        Of the atlas.
    space : str
        BIDS label of the space.
    species : str
    t1 : Volume
        Brain alone, 0 around it.
    brain : ndarray of bool, shape ``t1.grid.shape``
    tissues : tuple of Volume
        Probability of grey, white and fluid, on the grid of ``t1``; empty where they are not known.
    labels : Labels
        On a grid of its own, in the same space.
    ribbon : frozenset of int
        Labels that are sheets of grey matter: cortex and cerebellum. An individual's grey matter says where they are.
    nuclei : frozenset of int
        Labels that a T1-weighted image tells from what is around them; empty where the maps of tissue are not known.
    sources : mapping of str to str
        Where a region comes from that is not of the atlas itself, by its plain name.
    """

    name: str
    space: str
    species: str
    t1: Volume
    brain: npt.NDArray[np.bool_]
    tissues: tuple[Volume, ...]
    labels: Labels
    ribbon: frozenset[int]
    nuclei: frozenset[int]
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sources", MappingProxyType(dict(self.sources)))

    @property
    def other_regions(self) -> tuple[str, ...]:
        """Regions that are not of the atlas itself, each with its source."""
        return tuple(f"{name} ({source})" for name, source in self.sources.items())

    def only(self, numbers: frozenset[int]) -> Labels:
        """The labels of some numbers alone."""
        kept = np.where(np.isin(self.labels.values, list(numbers)), self.labels.values, np.int32(0))
        return Labels(self.labels.grid, kept, {n: name for n, name in self.labels.names.items() if n in numbers})

"""Time-activity curves."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from raphe.core.frames import Frames
from raphe.errors import InputError

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TACs:
    """Time-activity curves of one scan, decay-corrected to injection.

    Parameters
    ----------
    activity : array_like of float, shape (n_curve, n_frame), kBq/mL
        Mean activity concentration of each region in each frame.
    frames : Frames
        Schedule, in minutes from injection.
    names : tuple of str, length n_curve
        One name a curve, no two alike.
    volumes : array_like of float, shape (n_curve,), mm3, or None
        Region volumes where they are known; NaN where one is not.

    Raises
    ------
    InputError
        If shapes disagree or a name stands twice; the message gives both numbers or the name.
    """

    activity: Array
    frames: Frames
    names: tuple[str, ...]
    volumes: Array | None = None

    def __post_init__(self) -> None:
        activity = np.array(self.activity, dtype=float, ndmin=2)
        activity.flags.writeable = False
        object.__setattr__(self, "activity", activity)
        object.__setattr__(self, "names", tuple(self.names))
        if activity.shape != (len(self.names), len(self.frames)):
            raise InputError(
                f"the curves have shape {activity.shape}, but there are {len(self.names)} names and "
                f"{len(self.frames)} frames"
            )
        seen: set[str] = set()
        for name in self.names:
            if name in seen:
                raise InputError(f"region {name!r} stands twice among the curves; rename or remove one of them")
            seen.add(name)
        if self.volumes is not None:
            volumes = np.array(self.volumes, dtype=float)
            volumes.flags.writeable = False
            object.__setattr__(self, "volumes", volumes)
            if volumes.shape != (len(self.names),):
                raise InputError(f"there are {volumes.size} volumes for {len(self.names)} curves")

    def curve(self, name: str) -> Array:
        """Activity of the region called ``name``, shape (n_frame,), kBq/mL.

        Raises
        ------
        InputError
            If no region has that name; the message lists those that there are.
        """
        if name not in self.names:
            raise InputError(f"there is no region {name!r} among the curves ({_few(self.names)})")
        return np.asarray(self.activity[self.names.index(name)])

    def first(self, n_frame: int | None) -> TACs:
        """Curves of the first ``n_frame`` frames; all where it is None."""
        if n_frame is None or n_frame >= len(self.frames):
            return self
        return replace(self, activity=self.activity[:, :n_frame], frames=self.frames.first(n_frame))

    def without(self, *names: str) -> TACs:
        """Curves less those called ``names``."""
        keep = [i for i, name in enumerate(self.names) if name not in names]
        return replace(
            self,
            activity=self.activity[keep],
            names=tuple(self.names[i] for i in keep),
            volumes=None if self.volumes is None else self.volumes[keep],
        )


def _few(names: tuple[str, ...], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")

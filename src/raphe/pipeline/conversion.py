"""What the parts of a conversion share: where it goes, what the user gave, and to whom it talks."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from raphe.catalog import find_tracer
from raphe.data.scan import Scan
from raphe.io import derivatives
from raphe.pipeline.messages import Messages


@dataclass(frozen=True, eq=False)
class Conversion:
    """One run of ``raphe convert``.

    Parameters
    ----------
    stage : Path
        Folder to write to, as if it were the dataset.
    options : argparse.Namespace
    given : mapping of str to object
        Fields of the image that the user gave.
    of_blood : mapping of str to object
        Fields of blood that the user gave.
    messages : Messages
    """

    stage: Path
    options: argparse.Namespace
    given: Mapping[str, object]
    of_blood: Mapping[str, object]
    messages: Messages

    def scan(self, tracer: str) -> Scan:
        """Scan with the entities of its name; ``tracer`` as the catalog, a file or the user spells it, or empty."""
        known = find_tracer(tracer)
        label = derivatives.label(tracer if known is None else known.name) if tracer else None
        asked = self.options
        entities = {"task": asked.task_label, "trc": label, "rec": asked.rec_label, "run": asked.run_label}
        named = tuple((key, value) for key, value in entities.items() if value)
        return Scan(asked.participant_label, asked.session_label, named)

    def warn(self, message: str) -> None:
        """Tell what a person must read, with files by the place that they will have."""
        self.messages.warn(message.replace(str(self.stage), str(self.options.out)))

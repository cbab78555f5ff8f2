"""Findings as a person reads them: those that say the same of several files together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from raphe.data.finding import Finding
from raphe.errors import InputError
from raphe.io.tables import shortened

_VARYING = re.compile(r"\S*/\S*|\b(?:sub|ses)-[\w-]+|[+-]?\d[\d.e+-]*")
"""What differs between messages of one kind: paths, labels and numbers."""


def paragraphs(findings: Sequence[Finding]) -> list[str]:
    """One paragraph for each kind of finding: the first of it, and the files that the others are about.

    Parameters
    ----------
    findings : sequence of Finding
        In the order in which they are to be told.
    """
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.severity, _VARYING.sub("", finding.message)), []).append(finding)
    return [_paragraph(kind) for kind in kinds.values()]


def paragraphs_of_page(findings: Sequence[Finding], roots: Iterable[Path]) -> list[str]:
    """The paragraphs for a report, which stands beside its data set: paths begin at the root of their data set.

    Parameters
    ----------
    findings : sequence of Finding
        In the order in which they are to be told.
    roots : iterable of Path
        Of the data sets that the findings are about.
    """
    told = paragraphs(findings)
    for root in sorted({f"{root}/" for root in roots} - {"/", "./"}, key=len, reverse=True):
        told = [re.sub(rf"(?<![\w/.]){re.escape(root)}", "", paragraph) for paragraph in told]
    return told


def refuse_errors(findings: Sequence[Finding]) -> None:
    """Raise all errors among the findings as one.

    Raises
    ------
    InputError
    """
    errors = [finding for finding in findings if finding.severity == "error"]
    if errors:
        raise InputError("\n\n".join(paragraphs(errors)))


def _paragraph(kind: Sequence[Finding]) -> str:
    first, *others = kind
    names = list(dict.fromkeys(other.path.name for other in others if other.path != first.path))
    return first.message + (f" (likewise {shortened(names)})" if names else "")

"""Faults in the files of scans that a person has excluded: they stop nothing, and these scans are left unread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from raphe.data.finding import Finding
from raphe.data.scan import Scan
from raphe.errors import InputError
from raphe.io.names import SCAN_ENTITIES, parse_name
from raphe.pipeline.exclusions import Exclusions
from raphe.report.study import ScanSummary


@dataclass(frozen=True)
class Unread:
    """Excluded scans whose files cannot be used.

    Parameters
    ----------
    scans : tuple of ScanSummary
        With the reasons of the exclusion.
    findings : tuple of Finding
        Warnings: what is wrong with their files, and that it stops nothing.
    """

    scans: tuple[ScanSummary, ...] = ()
    findings: tuple[Finding, ...] = ()

    def reads(self, label: str) -> bool:
        """Whether a scan takes its usual way."""
        return all(label != one.scan.label for one in self.scans)


def spared(findings: Sequence[Finding], excluded: Exclusions) -> tuple[tuple[Finding, ...], Unread]:
    """Part the errors that are about excluded scans alone from all other findings.

    A file is about the scans that have all entities of its name: an image about one, a T1-weighted image or a sidecar
    higher up about all of its participant or session.

    Parameters
    ----------
    findings : sequence of Finding
    excluded : Exclusions

    Returns
    -------
    tuple of Finding
        The others, in order.
    Unread
    """
    kept: list[Finding] = []
    told: list[Finding] = []
    unread: dict[str, ScanSummary] = {}
    for finding in findings:
        own = _scans_of(finding.path, excluded.scans) if finding.severity == "error" else ()
        reasons = {scan.label: excluded.reason(scan) for scan in own}
        if not own or not all(reasons.values()):
            kept.append(finding)
            continue
        why = "; ".join(dict.fromkeys(reasons.values()))
        message = f"{finding.message} (excluded: {why}; so this stops nothing, and {', '.join(reasons)} is not read)"
        told.append(Finding("warning", finding.path, finding.field, message))
        unread |= {scan.label: ScanSummary(scan, excluded=reasons[scan.label]) for scan in own}
    return tuple(kept), Unread(tuple(unread.values()), tuple(told))


def _scans_of(path: Path, scans: Sequence[Scan]) -> tuple[Scan, ...]:
    """Scans that a file is about by its name; none where the name tells no participant."""
    try:
        entities = parse_name(path).entities
    except InputError:
        return ()
    if "sub" not in entities:
        return ()
    told = {(key, entities[key]) for key in SCAN_ENTITIES if key in entities}
    return tuple(scan for scan in scans if told <= _entities(scan))


def _entities(scan: Scan) -> set[tuple[str, str]]:
    own = {("sub", scan.participant), *scan.entities}
    return own if scan.session is None else own | {("ses", scan.session)}

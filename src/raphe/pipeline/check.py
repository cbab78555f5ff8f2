"""``raphe check``: what is wrong with a data set and its plan, before any work."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from raphe.data.finding import Finding
from raphe.errors import InputError, PlanError
from raphe.io.bids import ScanCurves, Study, dataset_roots, read_study
from raphe.io.check import check_dataset
from raphe.pipeline.messages import Messages
from raphe.pipeline.plan import StudyPlan
from raphe.pipeline.plan_check import check_plan
from raphe.pipeline.study import find_plan, known_scans

WARNINGS, ERRORS = 1, 2


def run(options: argparse.Namespace) -> int:
    """Print every finding; 0 clean, 1 warnings, 2 errors."""
    messages = Messages(options)
    findings = check(options.bids, options.derivatives, options.plan)
    for finding in findings:
        messages.detail(f"{finding.severity}: {finding.message}")
    if options.json:
        print(json.dumps([_plain(finding) for finding in findings], indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{finding.severity}: {finding.message}\n")
        errors = sum(finding.severity == "error" for finding in findings)
        messages.say(f"{errors} errors, {len(findings) - errors} warnings in {options.bids}")
    severities = {finding.severity for finding in findings}
    return ERRORS if "error" in severities else WARNINGS if severities else 0


def check(bids: Path, derivatives: Sequence[Path] = (), plan_path: Path | None = None) -> tuple[Finding, ...]:
    """Findings of a data set, and of its plan held against it, errors first.

    Parameters
    ----------
    bids : Path
        Root of the data set.
    derivatives : sequence of Path, optional
        Where the curves are; every folder of ``derivatives/`` by default.
    plan_path : Path, optional
        Study plan; ``raphe.toml`` of the data set by default.
    """
    roots = dataset_roots(bids, derivatives)
    findings = list(check_dataset(bids, roots))
    try:
        plan = find_plan(bids, plan_path)
        if plan is not None and not any(finding.severity == "error" for finding in findings):
            findings += check_plan(plan, *known_scans(_of_plan(read_study(bids, roots), plan)))
    except PlanError as error:
        findings.append(Finding("error", plan_path or bids / "raphe.toml", "", str(error)))
    except InputError as error:
        findings.append(Finding("error", bids, "", str(error)))
    return tuple(sorted(findings, key=lambda finding: finding.severity))


def _of_plan(study: Study, plan: StudyPlan) -> Sequence[ScanCurves]:
    return study.choose(plan.regions.pvc, plan.regions.seg)


def _plain(finding: Finding) -> dict[str, str]:
    return {
        "severity": finding.severity,
        "path": str(finding.path),
        "field": finding.field,
        "message": finding.message,
    }

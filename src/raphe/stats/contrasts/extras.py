"""What a plan asks for besides the estimate, in words for the sidecar, the methods and the page."""

from __future__ import annotations

import math

from raphe.stats.bayes import Prior
from raphe.stats.contrasts.question import Question
from raphe.stats.contrasts.weighing import weighed

OF_SCANS = "errors of a person's scans are taken as independent"
OF_BASELINE = "the error is that of the value after; the baseline's own error is not modelled"


def extras_of(question: Question) -> dict[str, str]:
    """What is asked for, in words, by name; empty where nothing is."""
    told: dict[str, str] = {}
    if weighed(question):
        of = OF_BASELINE if question.kind == "ancova" else OF_SCANS
        told["Weights"] = f"1 / (tau² + SE²) of each participant, SE the standard error of the fit; {of}"
    if question.bootstrap is not None:
        within = " within their arms" if question.kind in ("groups", "ancova") or question.by == "arm" else ""
        told["Bootstrap"] = (
            f"BCa interval of the estimate from {question.bootstrap} resamplings of participants{within} "
            f"(seed {question.seed})"
        )
    if question.prior is not None:
        told["Prior"] = f"{_prior(question.prior)}, in the unit of the estimate; chosen by the plan: an assumption"
    if question.blocks:
        told["Blocks"] = f"arms are dealt anew within the classes of {question.blocks} in participants.tsv"
    return told


def _prior(prior: Prior) -> str:
    if math.isinf(prior.df):
        return f"a normal distribution with mean {prior.location:g} and SD {prior.scale:g}"
    return (
        f"a t distribution with location {prior.location:g}, scale {prior.scale:g} and {prior.df:g} degrees of freedom"
    )

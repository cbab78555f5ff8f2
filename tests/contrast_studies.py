"""Small studies as tables of estimates, for tests of contrasts."""

from __future__ import annotations

from raphe.data.estimates import Estimate, Estimates
from raphe.data.people import People
from raphe.quality import Quality
from raphe.stats.contrasts.question import Material, Question
from raphe.stats.contrasts.registry import contrast_of


def study(sessions, region="r", arms=None, tracer="AZ", model="SRTM", bad=(), se=None):
    """Estimates from person to value by session; ``bad`` are (person, session) that may not be used, ``se`` errors."""
    return tuple(
        Estimate(
            person,
            session,
            tracer,
            "",
            (arms or {}).get(person, ""),
            region,
            model,
            "BP_ND",
            float(value),
            0.1 if se is None else float(se[session][person]),
            Quality.AT_BOUND if (person, session) in bad else Quality.GOOD,
        )
        for session, values in sessions.items()
        for person, value in values.items()
    )


def answered(rows, people=None, aside=None, **question):
    """The contrast of a question about some estimates."""
    asked = Question(**{"name": "c", "tracer": "AZ", "model": "SRTM", **question})
    return contrast_of(asked, Material(Estimates(tuple(rows)), people or People(), aside or {}))[0]


def of_arms(arms):
    """People whose arms stand in their table."""
    return People({"arm": dict(arms)})

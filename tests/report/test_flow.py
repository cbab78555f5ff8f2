"""Flow of scans: whatever comes into a stage is lost there or goes on, and nothing is counted twice."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn import Drawn
from group_scene import scans
from raphe.report.flow import FlowScan, flow, flow_chart, in_words

reasons = st.sampled_from(["", "", "", "a", "b"])
flows = st.lists(
    st.builds(
        FlowScan, st.sampled_from([f"p{at}" for at in range(9)]), st.sampled_from(["s1", "s2"]),
        st.sampled_from(["", "drug"]), reasons, reasons, reasons,
    ),
    max_size=40,
)  # fmt: skip


@given(flows)
def test_every_scan_is_analysed_or_lost_once(given_scans):
    found = flow(given_scans)
    lost = sum(one.n_scan for stage in found.stages for one in stage.lost)
    assert found.stages[0].n_scan == len(given_scans)
    assert lost + found.stages[-1].n_scan == len(given_scans)
    for before, after in zip(found.stages, found.stages[1:], strict=False):
        assert before.n_scan - sum(one.n_scan for one in before.lost) == after.n_scan
    assert sum(n for arm in found.arms for _, n in arm.scans) == found.stages[-1].n_scan
    assert sum(arm.n_planned for arm in found.arms) == len(given_scans)


def test_the_counts_of_a_study():
    found = flow(scans())
    assert [(stage.n_people, stage.n_scan) for stage in found.stages] == [(30, 60), (30, 57), (30, 56), (30, 55)]
    assert [(one.reason, one.n_scan) for one in found.stages[0].lost] == [
        ("withdrew consent", 2),
        ("synthesis failed", 1),
    ]
    ketamine, placebo = found.arms
    assert (ketamine.scans, ketamine.n_complete) == ((("baseline", 19), ("post", 16)), 15)
    assert (placebo.scans, placebo.n_complete) == ((("baseline", 10), ("post", 10)), 10)


def test_the_first_reason_counts():
    (planned, *others) = flow([FlowScan("a", "s", missing="gone", excluded="moved", failed="no")]).stages
    assert [one.reason for one in planned.lost] == ["gone"]
    assert not any(stage.lost for stage in others)


def test_someone_without_a_scan_left_is_no_longer_counted():
    found = flow([FlowScan("a", "s", excluded="moved"), FlowScan("b", "s")])
    assert [stage.n_people for stage in found.stages] == [2, 2, 1, 1]


def test_boxes_hold_their_words_and_do_not_overlap():
    long = "moved by more than 5 mm in half of the frames and could not be corrected, as the operator wrote in the log"
    arms = ("ketamine 0.5 mg/kg over 40 minutes", "placebo", "esketamine", "midazolam", "nitrous oxide", "sham")
    found = Drawn(
        flow_chart(
            flow(
                [FlowScan(f"p{at}", session, arms[at % 6], excluded=long if at == 3 else "")
                 for at in range(24) for session in ("baseline", "post")]
            )
        )
    )  # fmt: skip
    boxes = found.boxes("stage")
    n_stage, n_lost = 3, 1
    assert len(boxes) == n_stage + n_lost + len(arms)
    for text, x, y, _ in found.texts():
        inside = (boxes[:, 0] <= x) & (x + 5.4 * len(text) <= boxes[:, 0] + boxes[:, 2])
        inside &= (boxes[:, 1] < y - 8) & (y < boxes[:, 1] + boxes[:, 3])
        assert inside.sum() == 1, text
    for at, (x, y, width, height) in enumerate(boxes):
        for x2, y2, width2, height2 in boxes[at + 1 :]:
            assert x + width <= x2 or x2 + width2 <= x or y + height <= y2 or y2 + height2 <= y
    assert (boxes[:, 0] >= 0).all()
    assert (boxes[:, 0] + boxes[:, 2] <= found.width).all()
    assert (boxes[:, 1] + boxes[:, 3] <= found.height).all()


@pytest.mark.parametrize("given_scans", [[], [FlowScan("a", "s")]], ids=["none", "one"])
def test_little_can_be_drawn(given_scans):
    assert np.isfinite(Drawn(flow_chart(flow(given_scans))).height)


def test_the_counts_stand_in_words():
    told = in_words(flow(scans()))
    assert "Present: 30 people, 57 scans (1 scan lost: moved by more than 5 mm" in told
    assert "placebo: 10 people, 20 of 20 expected scans, baseline: 10, post: 10" in told

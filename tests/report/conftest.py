import html.parser

import numpy as np
import pytest

from raphe.core.frames import Frames
from raphe.data.fit import KineticFit

BLOCKS = {"td", "th", "dt", "dd", "li", "p"}
VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(html.parser.HTMLParser):
    """Reads a page, checks that its elements close in order and that drawings lie on the paper of a figure, and keeps
    what tests ask for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag == "svg":
            assert "figure" in self.open, "colours of drawings are those for light paper"
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag in BLOCKS:
            self.words.append(" ")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        """All text, white space collapsed, styles and scripts included."""
        return " ".join("".join(self.words).split())

    @property
    def ids(self):
        return [value for _, name, value in self.attributes if name == "id"]

    def loads(self):
        """Addresses that a browser would fetch by itself."""
        return [
            value
            for tag, name, value in self.attributes
            if name in {"src", "srcset", "data", "action", "poster"} or (name == "href" and tag != "a")
        ]


@pytest.fixture
def read():
    return Page


@pytest.fixture
def make_fit():
    """A fit with given BP_ND, SE and flags by region."""

    def make(regions, model="SRTM", inputs=()):
        n_frame = 12
        frames = Frames(np.arange(n_frame) * 7.5, np.full(n_frame, 7.5))
        n = len(regions)
        bp, se, quality = (np.array([region[i] for region in regions.values()]) for i in range(3))
        curve = 20 * frames.mid / 15 * np.exp(1 - frames.mid / 15)
        activity = np.outer(1 + np.nan_to_num(bp, posinf=0) / 10, curve)
        fitted = activity * (1 + 0.02 * np.cos(np.arange(n_frame)))
        return KineticFit(
            model,
            tuple(regions),
            ("BP_ND", "R1", "k2"),
            np.column_stack([bp, np.full(n, 1.0371), np.full(n, 0.08114)]).astype(float),
            np.column_stack([se, np.full(n, 0.0213), np.full(n, 0.0012)]).astype(float),
            np.full(n, 0.5),
            np.full(n, -12.34),
            quality.astype(np.int64),
            frames,
            activity,
            fitted,
            np.ones((n, n_frame)),
            curve,
            dict(inputs),
        )

    return make


@pytest.fixture
def make_tissue_fit():
    """A fit behind plasma with given V_T by region: V_T, its SE, flags; and k3 with its SE for two compartments."""

    def make(model, regions, *, akaike=None, inputs=(), reference=None, n_frame=12):
        frames = Frames(np.arange(n_frame) * 7.5, np.full(n_frame, 7.5))
        n = len(regions)
        rows = list(regions.values())
        two = len(rows[0]) == 5
        parameters = ("K1", "k3", "V_B", "V_T") if two else ("K1", "k2", "V_B", "V_T")
        inner = [(row[3], row[4]) if two else (0.0721, 0.0015) for row in rows]
        value = np.array([[0.1234, k, 0.05, row[0]] for row, (k, _) in zip(rows, inner, strict=True)], dtype=float)
        se = np.array([[0.0021, s, 0.0043, row[1]] for row, (_, s) in zip(rows, inner, strict=True)], dtype=float)
        curve = 20 * frames.mid / 15 * np.exp(1 - frames.mid / 15)
        activity = np.outer(1 + np.arange(n) / 10, curve)
        fitted = activity * (1 + 0.02 * np.cos(np.arange(n_frame)))
        return KineticFit(
            model,
            tuple(regions),
            parameters,
            value,
            se,
            np.full(n, 0.5),
            np.full(n, -12.34),
            np.array([row[2] for row in rows], dtype=np.int64),
            frames,
            activity,
            fitted,
            np.ones((n, n_frame)),
            reference,
            dict(inputs),
            macro="V_T",
            akaike=None if akaike is None else np.array(akaike, dtype=float),
        )

    return make

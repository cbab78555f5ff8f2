import base64
import html
import re
import struct
import zlib

import numpy as np
import pytest

from raphe.report.simulated import Chapter, Figure, Key, Table, Titled, simulated_page
from raphe.report.simulated_figures import Line, Window, by_visit, time_panel
from raphe.report.slices import Volume, label_colours, slices

HOSTILE = "</script><script>alert(1)</script>"


def pixels(uri: str) -> np.ndarray:
    """Decode a picture, shape (height, width, 3)."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    width, height = struct.unpack(">II", data[16:24])
    body = palette = b""
    at = 8
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        body += data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        palette = data[at + 8 : at + 8 + length] if kind == b"PLTE" else palette
        at += 12 + length
    lines = np.frombuffer(zlib.decompress(body), np.uint8).reshape(height, 1 + width)
    return np.frombuffer(palette, np.uint8).reshape(-1, 3)[lines[:, 1:]]


def pictures(drawing: str) -> list[np.ndarray]:
    return [pixels(html.unescape(uri)) for uri in re.findall(r'href="(data:[^"]+)"', drawing)]


def words(drawing: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", drawing)


@pytest.fixture
def head() -> Volume:
    values = np.zeros((8, 10, 6))
    values[6, 8, 4] = 1.0  # right, in front, above
    return Volume(values, (-7.0, -9.0, -5.0), (2.0, 2.0, 2.0), high=1.0, unit="kBq/mL", grey=True)


def shown(volume: Volume, at: tuple[float, float, float]) -> str:
    within = (np.array([-7.0, -9.0, -5.0]), np.array([7.0, 9.0, 5.0]))
    return str(slices(volume, at, within, "slices"))


def test_slices_lie_as_their_marks_say(head: Volume) -> None:
    drawing = shown(head, (5.0, 7.0, 3.0))
    axial, coronal, sagittal, _ = pictures(drawing)
    assert (axial.shape[:2], coronal.shape[:2], sagittal.shape[:2]) == ((10, 8), (6, 8), (6, 10))
    bright = [tuple(np.argwhere(one[..., 0] == 255)[0]) for one in (axial, coronal, sagittal)]
    assert bright == [(1, 6), (1, 6), (1, 8)]  # rows from the front or the top, columns to the right or the front
    marks = [word for word in words(drawing) if len(word) == 1 and word.isalpha()]
    assert marks == ["L", "R", "A", "P", "L", "R", "S", "I", "P", "A", "S", "I"]
    assert [word for word in words(drawing) if "mm" in word and "=" in word] == [
        "axial, z = 3.0 mm",
        "coronal, y = 7.0 mm",
        "sagittal, x = 5.0 mm",
    ]
    assert "kBq/mL" in words(drawing)


def test_a_slice_elsewhere_is_dark(head: Volume) -> None:
    assert all(one[..., 0].max() == 0 for one in pictures(shown(head, (-5.0, -7.0, -3.0)))[:3])
    assert "sagittal, x = \N{MINUS SIGN}5.0 mm" in words(shown(head, (-5.0, -7.0, -3.0)))


def test_labels_have_colours_of_their_own_and_other_tissues_are_grey() -> None:
    table = label_colours(20, pale=[2, 5])
    assert len({tuple(row) for row in table}) == 20
    grey = [number for number in range(1, 20) if len({*table[number].tolist()}) == 1]
    assert grey == [2, 5]


def test_a_panel_has_its_band_its_gaps_and_no_word_upon_another() -> None:
    time = np.linspace(0.0, 10.0, 11)
    broken = np.where(time == 5, np.nan, time)
    lines = [Line("s0", time, time, time - 1, time + 1), Line("s1", time, broken)]
    windows = [Window(1.0, 1.2, "baseline", (1.1,)), Window(1.3, 1.5, "post"), Window(20.0, 21.0, "never")]
    drawing = str(time_panel(lines, "share", "h", "what", windows=windows))
    assert drawing.count('class="area s0"') == 1
    (gap,) = re.findall(r'<path class="curve s1" d="([^"]*)"', drawing)
    assert gap.count("M") == 2
    places = {word: float(x) for x, word in re.findall(r'<text class="when" x="([\d.]+)"[^>]*>([^<]*)<', drawing)}
    assert list(places) == ["baseline", "post"]
    assert places["post"] - places["baseline"] > 6 * len("baseline")


def test_ratings_leave_a_gap_where_someone_left() -> None:
    scores = np.array([[30.0, 20.0, np.nan], [20.0, 10.0, 5.0]])
    drawing = str(by_visit(scores, ["baseline", "post", "open"], "s0", 60.0, "MADRS"))
    lengths = sorted(d.count("L") for d in re.findall(r'<path class="curve thin s0" d="([^"]*)"', drawing))
    assert lengths == [1, 2]
    assert drawing.count('class="mean s0"') == 2  # one score has no spread


@pytest.fixture
def page() -> str:
    drawing = time_panel([Line("s0", np.arange(3.0), np.arange(3.0))], "share", "h", HOSTILE)
    figure = Figure((Titled(HOSTILE, drawing, HOSTILE),), HOSTILE, (Key(HOSTILE, "s0"), Key("x", "#123456", "swatch")))
    table = Table(("Number", "Status"), ((HOSTILE, "assumption"), ("b", "published")), HOSTILE, 2, folded=HOSTILE)
    chapter = Chapter("one", HOSTILE, (HOSTILE,), (table,), (figure,), (table,))
    return simulated_page(
        HOSTILE, HOSTILE, HOSTILE, [("Seed", HOSTILE)], [chapter],
        references=["Someone 2020. doi 10.1000/x"], versions={"raphe": "1"}, plan=f"# {HOSTILE}\n[study]\n",
    )  # fmt: skip


def test_a_page_is_whole_and_lets_nothing_through(page: str) -> None:
    assert HOSTILE not in page
    assert "img-src data:" in page
    assert re.findall(r'(?:src|href)="(?!#|https://doi\.org/)([^"]*)"', page) == []
    opened = re.findall(r"<(section|table|figure|details|div|p|h\d|svg)\b", page)
    assert all(len(re.findall(rf"</{tag}>", page)) == opened.count(tag) for tag in set(opened))
    assert page.count('<span class="badge">assumption</span>') == 2


def test_figures_and_tables_are_numbered_through(page: str) -> None:
    assert re.findall(r"<b>(Table|Figure) (\d)\.</b>", page) == [("Table", "1"), ("Figure", "1"), ("Table", "2")]

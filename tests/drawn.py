"""Reads what stands where in a drawing."""

import re
import xml.etree.ElementTree as ET

import numpy as np


class Drawn:
    """Texts, marks, boxes and lines of a drawing, each with its place in px."""

    def __init__(self, drawing):
        self.root = ET.fromstring(str(drawing))
        _, _, self.width, self.height = (float(v) for v in self.root.attrib["viewBox"].split())

    @property
    def label(self):
        return self.root.attrib["aria-label"]

    @property
    def description(self):
        return self.root.findtext("desc", "")

    def texts(self):
        """Words of each text with its place and where it is anchored."""
        return [
            ("".join(one.itertext()), float(one.attrib["x"]), float(one.attrib["y"]), one.attrib["text-anchor"])
            for one in self.root.iter("text")
        ]

    def words(self):
        return [text for text, *_ in self.texts()]

    def place(self, words):
        """Place of the only text with these words."""
        (found,) = [(x, y) for text, x, y, _ in self.texts() if text == words]
        return found

    def circles(self, kind):
        """Centres of circles of a class, shape (n, 2)."""
        found = [one for one in self.root.iter("circle") if kind in one.attrib["class"].split()]
        return np.array([(float(one.attrib["cx"]), float(one.attrib["cy"])) for one in found]).reshape(-1, 2)

    def diamonds(self):
        """Centres of squares on their corner."""
        return [
            np.mean([[float(v) for v in point.split(",")] for point in one.attrib["points"].split()], axis=0)
            for one in self.root.iter("polygon")
        ]

    def boxes(self, kind):
        """Rectangles of a class: x, y, width, height."""
        found = [one for one in self.root.iter("rect") if kind in one.attrib["class"].split()]
        return np.array([[float(one.attrib[key]) for key in ("x", "y", "width", "height")] for one in found])

    def lines(self, kind):
        """Points of each path of a class."""
        return [_points(one.attrib["d"]) for one in self.root.iter("path") if one.attrib["class"] == kind]

    def notes(self):
        return [one.text for one in self.root.iter("title")]

    def x_of(self):
        """Value at a place across, by two ticks of the axis."""
        return self._axis("middle", 0)

    def y_of(self):
        """Value at a place upwards, by two ticks of the axis."""
        return self._axis("end", 1)

    def _axis(self, anchor, at):
        pattern = re.compile(r"\u2212?\d+(\.\d+)?")
        found = [
            (float(text.replace("\u2212", "-")), (x, y)[at] + (0, -3.5)[at])
            for text, x, y, where in self.texts()
            if where == anchor and pattern.fullmatch(text)
        ]
        if at == 0:
            foot = max(y for text, _, y, where in self.texts() if where == anchor and pattern.fullmatch(text))
            found = [(float(text.replace("\u2212", "-")), x) for text, x, y, where in self.texts()
                     if where == anchor and pattern.fullmatch(text) and y == foot]  # fmt: skip
        (v1, p1), (v2, p2) = found[0], found[-1]
        return lambda place: v1 + (place - p1) * (v2 - v1) / (p2 - p1)


def _points(commands):
    points, x, y = [], 0.0, 0.0
    for letter, rest in re.findall(r"([MLHhZ])([^MLHhZ]*)", commands):
        numbers = [float(v) for v in rest.split()]
        if letter in "ML":
            x, y = numbers
        elif letter == "H":
            x = numbers[0]
        elif letter == "h":
            x += numbers[0]
        else:
            continue
        points.append((x, y))
    return np.array(points)

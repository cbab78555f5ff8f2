r"""Sums of powers times exponentials, :math:`\sum c\, u^p e^{-r u}`, in decimal arithmetic.

A plasma input of Feng's form is such a sum, and so are its integrals and the answer of any number of compartments to
it: everything is in closed form, and the digits do not depend on a machine's floating point. The precision is that of
the decimal context in which a function is called (:func:`exact`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from math import factorial

DIGITS = 40
"""Digits that are carried; differences of exponentials of nearly equal rates, or soon after injection, cost some."""

Term = tuple[Decimal, int]
ZERO = Decimal(0)


def exact() -> AbstractContextManager[Context]:
    """Context in which the closed forms are to be computed."""
    return localcontext(prec=DIGITS)


@dataclass(frozen=True)
class Closed:
    """Curve from u = 0 on.

    Parameters
    ----------
    terms : mapping of (rate, power) to coefficient
        Rates in 1/min, whole powers of min.
    """

    terms: Mapping[Term, Decimal]

    def __add__(self, other: Closed) -> Closed:
        return _sum([*self.terms.items(), *other.terms.items()])

    def times(self, factor: Decimal) -> Closed:
        """Curve times a number."""
        return Closed({term: factor * c for term, c in self.terms.items()})

    def faded(self, rate: Decimal) -> Closed:
        """Curve times e^(-rate u)."""
        return Closed({(r + rate, p): c for (r, p), c in self.terms.items()})

    def integral(self) -> Closed:
        r"""Area from 0 on; :math:`\int_0^u s^p e^{-rs} ds = p!/r^{p+1} - e^{-ru} \sum_m p!/(m!\, r^{p+1-m})\, u^m`."""
        pieces: list[tuple[Term, Decimal]] = []
        for (r, p), c in self.terms.items():
            if r == 0:
                pieces.append(((ZERO, p + 1), c / (p + 1)))
                continue
            pieces.append(((ZERO, 0), c * factorial(p) / r ** (p + 1)))
            pieces += [((r, m), -c * (factorial(p) // factorial(m)) / r ** (p + 1 - m)) for m in range(p + 1)]
        return _sum(pieces)

    def convolved(self, rate: Decimal) -> Closed:
        """Convolution with e^(-rate u)."""
        return self.faded(-rate).integral().faded(rate)

    def at(self, time: Decimal) -> Decimal:
        """Value at a time, min; 0 before 0."""
        if time < 0:
            return ZERO
        return sum((c * (time**p if p else 1) * _exp(r, time) for (r, p), c in self.terms.items() if c), ZERO)


def _sum(pieces: Iterable[tuple[Term, Decimal]]) -> Closed:
    terms: defaultdict[Term, Decimal] = defaultdict(Decimal)
    for term, c in pieces:
        terms[term] += c
    return Closed(dict(terms))


@lru_cache(maxsize=500_000)
def _exp(rate: Decimal, time: Decimal) -> Decimal:
    return (-rate * time).exp() if rate else Decimal(1)

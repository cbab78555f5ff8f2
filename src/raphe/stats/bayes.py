r"""Bayes factors of t tests and correlations, and the posterior of a change under a stated prior.

A Bayes factor BF10 says how much more probable the data are if there is an effect, of a size that the prior expects,
than if there is none; 1 / BF10 is the evidence for none. It answers what a p value above 0.05 cannot: whether the data
speak against an effect or do not speak.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import integrate, special, stats

from raphe.errors import InputError
from raphe.stats.effect import Effect
from raphe.stats.interval import TAILS

Array = npt.NDArray[np.float64]

SCALE = math.sqrt(0.5)
"""Half of the standardised effects that the default prior expects are smaller than this."""


def bayes_factor_t(t: float, n: int, n_second: int | None = None, *, scale: float = SCALE) -> float:
    r"""Bayes factor of a t test, BF10, two-sided, under a Cauchy prior of the standardised effect.

    With N people and v = N - 1 degrees of freedom (or N = n1 n2 / (n1 + n2) and v = n1 + n2 - 2), and g the variance of
    the effect, of which the Cauchy distribution is a mixture,

    .. math::

        BF_{10} = \frac{\int_0^\infty (1 + N g)^{-1/2} \left(1 + \frac{t^2}{(1 + N g) v}\right)^{-(v + 1) / 2}
        p(g)\, dg}{(1 + t^2 / v)^{-(v + 1) / 2}}, \quad
        p(g) = \frac{r}{\sqrt{2 \pi}} g^{-3/2} e^{-r^2 / (2 g)}

    (Rouder et al. 2009, Psychon Bull Rev 16:225; Jeffreys, Zellner and Siow's prior with scale r).

    Parameters
    ----------
    t : float
        Of a one-sample or paired test, or of Student's test of two groups.
    n : int
        People, or people of the first group.
    n_second : int, optional
        People of the second group.
    scale : float
        r, above 0; :data:`SCALE` is the usual one.

    Raises
    ------
    InputError
        If t is not finite, there are too few people, or the scale is not positive.
    """
    df = n - 1 if n_second is None else n + n_second - 2
    if not math.isfinite(t) or df < 1 or n < 1 or (n_second is not None and n_second < 1):
        raise InputError(f"a t of {t:g} with {df} degrees of freedom has no Bayes factor; it needs people with spread")
    if not (math.isfinite(scale) and scale > 0):
        raise InputError(f"a prior of scale {scale:g} is none; give a positive one, such as 0.707")
    size = float(n) if n_second is None else n * n_second / (n + n_second)

    def log_ratio(u: float) -> float:
        """Of the integrand to the null likelihood, at g = (r / u)**2 with u half-normal."""
        spread = 1 + size * (scale / u) ** 2
        fit = (df + 1) / 2 * (math.log1p(t * t / df) - math.log1p(t * t / (spread * df)))
        return fit - math.log(spread) / 2 - u * u / 2 + math.log(2 / math.pi) / 2

    return _integral(log_ratio, 1e-6, 40.0)


def bayes_factor_r(r: float, n: int, *, width: float = 1.0) -> float:
    r"""Bayes factor of Pearson's correlation, BF10, two-sided, under a stretched beta prior.

    The prior of rho is beta(1 / width, 1 / width), stretched to -1 to 1; a width of 1 takes all correlations to be as
    probable, a lower one expects small correlations. With means and variances integrated out, the likelihood of rho is

    .. math::

        \frac{(1 - \rho^2)^{(n - 1)/2}}{(1 - \rho r)^{n - 3/2}}
        {}_2F_1\left(\tfrac12, \tfrac12; n - \tfrac12; \tfrac{1 + \rho r}{2}\right)

    but for a factor (Jeffreys 1961; Ly, Verhagen and Wagenmakers 2016, J Math Psychol 72:19), and is taken relative to
    that of 0.

    Parameters
    ----------
    r : float
        Inside -1 to 1. For a partial correlation with k covariates give n - k.
    n : int
        At least 3.
    width : float
        Above 0.

    Raises
    ------
    InputError
        If r, n or the width is out of its range.
    """
    if not abs(r) < 1 or n < 3:
        raise InputError(
            f"a correlation of {r:g} of {n} people has no Bayes factor; r lies inside -1 to 1, n is 3 or more"
        )
    if not (math.isfinite(width) and width > 0):
        raise InputError(f"a prior of width {width:g} is none; give a positive one, such as 1")
    a = 1 / width

    none = math.log(special.hyp2f1(0.5, 0.5, n - 0.5, 0.5))

    def log_ratio(x: float) -> float:
        """Prior times likelihood ratio at rho = tanh(x), whose derivative is 1 - rho**2."""
        rho = math.tanh(x)
        log_rest = 2 * (math.log(2) - abs(x) - math.log1p(math.exp(-2 * abs(x))))  # log(1 - rho**2)
        log_prior = -special.betaln(a, a) - (2 * a - 1) * math.log(2) + (a - 1) * log_rest
        log_tail = math.log(special.hyp2f1(0.5, 0.5, n - 0.5, (1 + rho * r) / 2)) - none
        return float(log_prior + ((n - 1) / 2 + 1) * log_rest - (n - 1.5) * math.log1p(-rho * r) + log_tail)

    return _integral(log_ratio, -40.0, 40.0)


@dataclass(frozen=True)
class Prior:
    """What was held of a change before the data: a t distribution about ``location``, in the unit of the change.

    Parameters
    ----------
    location, scale : float
        An infinite scale holds all changes for as probable.
    df : float
        Infinite for a normal distribution, 1 for Cauchy's.
    """

    location: float = 0.0
    scale: float = math.inf
    df: float = math.inf


@dataclass(frozen=True)
class Posterior:
    """What is held of a change after the data."""

    mean: float
    """NaN where the tails are too heavy for one."""
    median: float
    low: float
    high: float
    """Ends of the 95 % credible interval, with 2.5 % beyond each."""
    above_zero: float
    """Probability that the change is above 0."""
    prior: Prior


def posterior(found: Effect, prior: Prior) -> Posterior:
    """Change given the data and a prior, by quadrature.

    The likelihood is a t distribution about the estimate, with its standard error and degrees of freedom: exact for the
    mean of paired differences or a coefficient of a linear model whose variance is unknown, with Jeffreys' prior of it;
    an approximation where the degrees of freedom are themselves one (Welch, mixed models). With an infinite scale the
    credible interval is the confidence interval.

    Parameters
    ----------
    found : Effect
        With a finite standard error above 0.
    prior : Prior

    Raises
    ------
    InputError
        If the effect has no standard error, or the prior's scale or degrees of freedom are not positive.
    """
    if not (math.isfinite(found.estimate) and math.isfinite(found.se) and found.se > 0):
        raise InputError(f"an estimate with standard error {found.se:g} has no posterior; it needs people with spread")
    if not (prior.scale > 0 and prior.df > 0 and math.isfinite(prior.location)):
        raise InputError(
            f"a prior of scale {prior.scale:g} and {prior.df:g} degrees of freedom is none; both must be positive"
        )
    x, density = _posterior_density(found, prior)
    total = integrate.cumulative_simpson(density, x=x, initial=0.0)
    total = np.maximum.accumulate(total) / total[-1]
    low, median, high = (float(np.interp(q, total, x)) for q in (TAILS[0], 0.5, TAILS[1]))
    above = 1 - float(np.interp(0.0, x, total))
    heavy = found.df <= 1 and (math.isinf(prior.scale) or prior.df + found.df <= 1)
    mean = math.nan if heavy else float(np.trapezoid(x * density, x) / np.trapezoid(density, x))
    return Posterior(mean, median, low, high, above, prior)


def _posterior_density(found: Effect, prior: Prior) -> tuple[Array, Array]:
    """Places that reach far beyond both, dense about the centre of each, and the density there."""
    steps = np.sinh(np.linspace(-14, 14, 6001)) * 1e-3
    scale = found.se if math.isinf(prior.scale) else min(found.se, prior.scale)
    centres = {found.estimate, found.estimate if math.isinf(prior.scale) else prior.location}
    x = np.unique(np.concatenate([centre + scale * steps for centre in centres]))
    log_density = stats.t.logpdf(x, found.df, found.estimate, found.se)
    if math.isfinite(prior.scale):
        one = stats.norm.logpdf if math.isinf(prior.df) else lambda *at: stats.t.logpdf(at[0], prior.df, *at[1:])
        log_density = log_density + one(x, prior.location, prior.scale)
    return x, np.exp(log_density - log_density.max())


def _integral(log_density: Callable[[float], float], low: float, high: float) -> float:
    """Integrate exp(log_density), which has one summit, without overflow on the way."""
    places = np.linspace(low, high, 4001)
    heights = np.array([log_density(float(x)) for x in places])
    top = int(heights.argmax())
    summit = float(heights[top])
    inside = np.flatnonzero(heights > summit - 50)
    span = places[max(inside[0] - 1, 0)], places[min(inside[-1] + 1, places.size - 1)]
    value, _ = integrate.quad(
        lambda x: math.exp(log_density(x) - summit),
        *span,
        points=[float(places[top])],
        epsabs=0,
        epsrel=1e-10,
        limit=400,
    )
    return float(value * math.exp(summit)) if summit < 700 else math.inf

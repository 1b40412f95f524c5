"""Distribution laws that scenario and desk files may name.

A law has no unit of its own: the key that holds it does (`gap_min`, `patience_h`). A bare
number in a file is a constant. Engines draw from laws through `sim.draws`, the generator
through `draw`.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

FloatArray = NDArray[np.float64]

Positive = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Share = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]


SUM_SLACK = 1e-6


def sum_to_one(value: Any) -> Any:
    """A validator: the numbers of a list or the values of a table sum to 1."""
    total = sum(value.values() if isinstance(value, dict) else value)
    if abs(total - 1) > SUM_SLACK:
        raise ValueError(f"the shares sum to {total:g}, not to 1")
    return value


SumToOne = AfterValidator(sum_to_one)
"""Checked on the key alone, so that it is said together with whatever else is wrong in the file."""


class Frozen(BaseModel):
    """Base of every value that a file describes: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Constant(Frozen):
    """Always `value`."""

    kind: Literal["constant"] = "constant"
    value: NonNegative

    def mean(self) -> float:
        return self.value

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return np.full(n, self.value)


class Exponential(Frozen):
    """Exponential with the given mean."""

    kind: Literal["exponential"]
    mean_value: Positive = Field(alias="mean")

    def mean(self) -> float:
        return self.mean_value

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return rng.exponential(self.mean_value, n)


class Gamma(Frozen):
    """Gamma with mean and coefficient of variation; cv 1 is the exponential, 1/sqrt(2) Erlang-2."""

    kind: Literal["gamma"]
    mean_value: Positive = Field(alias="mean")
    cv: Positive

    @property
    def shape(self) -> float:
        return 1.0 / (self.cv * self.cv)

    def mean(self) -> float:
        return self.mean_value

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return rng.gamma(self.shape, self.mean_value / self.shape, n)


class Lognormal(Frozen):
    """Lognormal, by (mean, cv) or by (median, sd_log: standard deviation of the logarithm)."""

    kind: Literal["lognormal"]
    mean_value: Positive | None = Field(default=None, alias="mean")
    cv: Positive | None = None
    median: Positive | None = None
    sd_log: Positive | None = None

    @model_validator(mode="after")
    def _one_form(self) -> Lognormal:
        by_mean = self.mean_value is not None and self.cv is not None
        by_median = self.median is not None and self.sd_log is not None
        given = sum(x is not None for x in (self.mean_value, self.cv, self.median, self.sd_log))
        if by_mean == by_median or given != 2:
            raise ValueError("a lognormal law takes either mean and cv, or median and sd_log")
        return self

    @property
    def sigma(self) -> float:
        return self.sd_log if self.sd_log is not None else math.sqrt(math.log1p((self.cv or 0.0) ** 2))

    @property
    def mu(self) -> float:
        if self.median is not None:
            return math.log(self.median)
        return math.log(self.mean_value or 1.0) - self.sigma**2 / 2

    def mean(self) -> float:
        return math.exp(self.mu + self.sigma**2 / 2)

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return rng.lognormal(self.mu, self.sigma, n)


class Weibull(Frozen):
    """Weibull with the given mean and shape (below 1: falling hazard)."""

    kind: Literal["weibull"]
    mean_value: Positive = Field(alias="mean")
    shape: Positive

    @property
    def scale(self) -> float:
        return self.mean_value / math.gamma(1 + 1 / self.shape)

    def mean(self) -> float:
        return self.mean_value

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return self.scale * rng.weibull(self.shape, n)


class Uniform(Frozen):
    """Uniform between `low` and `high`."""

    kind: Literal["uniform"]
    low: NonNegative
    high: NonNegative

    @model_validator(mode="after")
    def _ordered(self) -> Uniform:
        if self.high < self.low:
            raise ValueError(f"high is {self.high:g}, below low, which is {self.low:g}")
        return self

    def mean(self) -> float:
        return (self.low + self.high) / 2

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return rng.uniform(self.low, self.high, n)


class Empirical(Frozen):
    """Linear between `quantiles`, which are equally spaced from the least to the largest value."""

    kind: Literal["empirical"]
    quantiles: tuple[NonNegative, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _ascending(self) -> Empirical:
        if any(b < a for a, b in zip(self.quantiles, self.quantiles[1:], strict=False)):
            raise ValueError("quantiles must not fall from one to the next")
        return self

    def mean(self) -> float:
        q = self.quantiles
        return (sum(q) - (q[0] + q[-1]) / 2) / (len(q) - 1)

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        return np.interp(rng.random(n), np.linspace(0, 1, len(self.quantiles)), self.quantiles)


SimpleLaw = Annotated[
    Constant | Exponential | Gamma | Lognormal | Weibull | Uniform | Empirical, Field(discriminator="kind")
]


class Part(Frozen):
    """One part of a mixture: its weight and its law."""

    weight: Share
    law: SimpleLaw


class Mixture(Frozen):
    """One of `parts`, chosen with its weight; the weights sum to 1."""

    kind: Literal["mixture"]
    parts: tuple[Part, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _sums(self) -> Mixture:
        total = sum(part.weight for part in self.parts)
        if abs(total - 1) > SUM_SLACK:
            raise ValueError(f"the weights of the parts sum to {total:g}, not to 1")
        return self

    def mean(self) -> float:
        return sum(part.weight * part.law.mean() for part in self.parts)

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        edges = np.cumsum([part.weight for part in self.parts])[:-1]
        which = np.searchsorted(edges, rng.random(n), side="right")
        out = np.empty(n)
        for i, part in enumerate(self.parts):
            mine = which == i
            out[mine] = part.law.draw(rng, int(mine.sum()))
        return out


def _number_is_constant(value: Any) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return {"kind": "constant", "value": value}
    return value


Law = Annotated[
    Constant | Exponential | Gamma | Lognormal | Weibull | Uniform | Empirical | Mixture,
    Field(discriminator="kind"),
    BeforeValidator(_number_is_constant),
]

"""Distribution laws: what they draw has the mean and the spread that they state."""

import math

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from scenarios.laws import Empirical, Gamma, Law, Lognormal, Weibull

N = 40_000
read = TypeAdapter[Law](Law).validate_python

# A law as a file has it, its mean, and its standard deviation, all by hand.
LAWS = [
    (3, 3.0, 0.0),
    ({"kind": "constant", "value": 2.5}, 2.5, 0.0),
    ({"kind": "exponential", "mean": 4}, 4.0, 4.0),
    ({"kind": "gamma", "mean": 6, "cv": 0.5}, 6.0, 3.0),
    ({"kind": "lognormal", "mean": 20, "cv": 0.9}, 20.0, 18.0),
    # exp(s^2 / 2) = 1.0833 of the median, and a cv of sqrt(exp(s^2) - 1) = 0.4165 with s = 0.4
    ({"kind": "lognormal", "median": 10, "sd_log": 0.4}, 10.832871, 4.512037),
    # shape 2: variance over squared mean is 4 / pi - 1
    ({"kind": "weibull", "mean": 5, "shape": 2}, 5.0, 5 * math.sqrt(4 / math.pi - 1)),
    ({"kind": "uniform", "low": 2, "high": 8}, 5.0, 6 / math.sqrt(12)),
    # half of it uniform on 0-2, half on 2-6: means 1 and 4, variances 1/3 and 4/3
    ({"kind": "empirical", "quantiles": [0, 2, 6]}, 2.5, math.sqrt((1 / 3 + 4 / 3) / 2 + 1.5**2)),
    (
        {
            "kind": "mixture",
            "parts": [
                {"weight": 0.25, "law": {"kind": "constant", "value": 0}},
                {"weight": 0.75, "law": {"kind": "exponential", "mean": 4}},
            ],
        },
        3.0,
        math.sqrt(0.75 * 32 - 9),
    ),
]


@pytest.mark.parametrize(("written", "mean", "sd"), LAWS)
def test_a_law_has_its_mean_and_draws_it(written: object, mean: float, sd: float) -> None:
    law = read(written)
    assert law.mean() == pytest.approx(mean, rel=1e-6)
    drawn = law.draw(np.random.default_rng(20150601), N)
    assert drawn.shape == (N,)
    assert (drawn >= 0).all()
    # 5 standard errors of the mean
    assert drawn.mean() == pytest.approx(mean, abs=5 * sd / math.sqrt(N) + 1e-12)
    # The standard error of a variance is sqrt((kurtosis - 1) / n) of it; the lognormal with cv 0.9
    # has by far the largest kurtosis here, 46: 3.4 % and half of that for the deviation; 5 of these.
    assert drawn.std() == pytest.approx(sd, rel=0.085, abs=1e-12)


def test_a_lognormal_is_the_same_in_both_forms() -> None:
    by_mean = Lognormal(kind="lognormal", mean=20.0, cv=0.9)
    by_median = Lognormal(kind="lognormal", median=math.exp(by_mean.mu), sd_log=by_mean.sigma)
    one, other = (law.draw(np.random.default_rng(1), 100) for law in (by_mean, by_median))
    assert one == pytest.approx(other)
    assert by_mean.mu == pytest.approx(math.log(20) - math.log1p(0.81) / 2)


def test_a_gamma_of_cv_1_is_exponential_and_a_weibull_of_shape_1_too() -> None:
    assert Gamma(kind="gamma", mean=7.0, cv=1.0).shape == 1
    assert Weibull(kind="weibull", mean=7.0, shape=1.0).scale == pytest.approx(7)


def test_an_empirical_law_lies_between_its_quantiles() -> None:
    law = Empirical(kind="empirical", quantiles=(1.0, 2.0, 10.0))
    drawn = law.draw(np.random.default_rng(2), N)
    assert drawn.min() >= 1
    assert drawn.max() <= 10
    # Half of the draws lie below the middle one: binomial, 5 standard errors of sqrt(0.25 / n)
    assert np.mean(drawn <= 2) == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(N))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"kind": "lognormal", "mean": 3}, "either mean and cv, or median and sd_log"),
        ({"kind": "lognormal", "mean": 3, "cv": 1, "median": 2}, "either mean and cv, or median and sd_log"),
        ({"kind": "uniform", "low": 3, "high": 2}, "high is 2, below low, which is 3"),
        ({"kind": "empirical", "quantiles": [3, 2]}, "must not fall"),
        ({"kind": "mixture", "parts": [{"weight": 0.5, "law": {"kind": "constant", "value": 1}}]}, "sum to 0.5"),
        ({"kind": "exponential", "mean": -1}, "greater than 0"),
        ({"kind": "exponential", "mean": "4"}, "valid number"),
        ({"kind": "pareto", "mean": 4}, "pareto"),
        (True, "dictionary"),
        (-3, "greater than or equal to 0"),
    ],
)
def test_a_law_that_cannot_be_says_why(written: object, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        read(written)

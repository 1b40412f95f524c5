"""What a calibration says, and what its figure draws."""

from __future__ import annotations

from functools import cache

import make_history as made
import numpy as np
import pytest
from matplotlib.figure import Figure

from reports import calibrate, calibrate_figure
from scenarios.history.calibrate import Calibrated, calibrated
from scenarios.history.columns import Map
from scenarios.history.histories import read_history


@cache
def carried() -> Calibrated:
    return calibrated(read_history(made.FILE, Map.load("plain"), zone="Europe/Amsterdam"), "carried", draws=10)


def facts(**changes: object) -> dict[str, object]:
    held = {"weeks": 2, "hours": 300, "behind": 4, "contacts": 9, "model": {"wape": 0.2, "bias": 0.01},
            "baseline": {"wape": 0.3, "bias": -0.02}}  # fmt: skip
    test = {"n": 1234, "distance": 0.01, "p": 0.5, "serial": 0.0}
    return {"held_back": held, "rescaled": test, "chance_wape": 0.19, **changes}


def test_the_checks_are_told_in_sentences() -> None:
    held, test = calibrate.sentences(facts())
    assert "the last 2 weeks, 300 hours outside of surges: WAPE 20.0 %, bias +1.0 %" in held
    assert "the mean of the same weekday's last 4 weeks has WAPE 30.0 %, bias -2.0 %" in held
    assert "its 1,234 contacts come as the model says" in test


def test_a_test_that_fails_and_checks_that_cannot_be_made_are_told_as_such() -> None:
    failed = {"n": 1234, "distance": 0.1, "p": 0.001, "serial": 0.0}
    assert "do not come as the model says" in calibrate.sentences(facts(rescaled=failed))[1]
    held, test = calibrate.sentences(facts(held_back=None, rescaled=None))
    assert "too short" in held and "too few" in test


def test_the_figure_says_what_was_found() -> None:
    done = carried()
    assert done.held_back is not None
    said = calibrate_figure.title(done)
    assert said.startswith("1 surge held out; hours that were kept back are missed by ")
    assert f"by the mean of 4 weeks by {done.held_back.baseline.wape:.0%}".replace("%", " %") in said


def test_the_figure_draws_what_came_and_what_was_fitted() -> None:
    done = carried()
    ax = calibrate_figure.draw_week(Figure().subplots(), done)
    assert {each.get_label() for each in ax.patches} >= {"80 % of the weeks", "mean of the weeks", "fitted"}
    fitted = next(each for each in ax.patches if each.get_label() == "fitted")
    values = np.asarray(fitted.get_data().values)  # type: ignore[attr-defined]
    assert values.mean() == pytest.approx(done.fit.base.week.per_h.sum(), rel=1e-6)
    whole = calibrate_figure.draw_history(Figure().subplots(), done)
    assert "held out" in {each.get_label() for each in whole.patches}
    surge = calibrate_figure.draw_surge(Figure().subplots(), done)
    low, high = surge.get_xlim()
    assert low < made.SURGE["at_h"] < high < made.SURGE["at_h"] + 100.0


def test_the_figure_is_a_png_and_an_svg_with_its_finding() -> None:
    drawing, png = calibrate_figure.drawn(carried())
    assert png.startswith(b"\x89PNG") and len(png) > 20_000
    assert "1 surge held out" in drawing.wide and "<script" not in drawing.wide

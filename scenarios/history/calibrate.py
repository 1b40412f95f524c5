"""A history made into a scenario: what was estimated, how sure that is, and what the history does not tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from scenarios.history.durations import FittedLaw, fitted_law, laws_by_topic
from scenarios.history.fitting import Errors, Fit, Watch, fitted, with_errors
from scenarios.history.heldback import HeldBack, held_back
from scenarios.history.rescaled import Rescaled, rescaled
from scenarios.history.series import History
from scenarios.history.told import Told, Window
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from scenarios.names import Topic


@dataclass(frozen=True)
class Calibrated:
    """What a history came to.

    Attributes
    ----------
    history : History
    fit : Fit
    errors : Errors
    handling, patience : FittedLaw, optional
        In minutes, and in hours; None where the history does not tell.
    by_topic : mapping of Topic to FittedLaw
        Handling of topics that differ.
    held_back : HeldBack, optional
    rescaled : Rescaled, optional
    mentions : (pulses,) float64
        Excess of all posts at the peak of each surge, in multiples of the base.
    scenario : Scenario
    notes : tuple of str
    """

    history: History
    fit: Fit
    errors: Errors
    handling: FittedLaw | None
    by_topic: Mapping[Topic, FittedLaw]
    patience: FittedLaw | None
    held_back: HeldBack | None
    rescaled: Rescaled | None
    mentions: FloatArray
    scenario: Scenario
    notes: tuple[str, ...]


def calibrated(
    history: History, name: str, window: Window = "surge", seed: int = 1, draws: int = 40, watch: Watch | None = None
) -> Calibrated:
    """Fit a scenario to a history.

    Parameters
    ----------
    history : History
    name : str
        Of the scenario.
    window : str
        What the scenario plays: the largest ``surge`` from a day before it (a ``week`` if there is none), an
        ordinary ``week`` without surges, or the whole ``history``.
    seed, draws : int
        Of the histories that are drawn for the errors.
    watch : callable, optional
        Told what is being done.
    """
    watch = watch or (lambda _: None)
    watch("week, noise and surges")
    fit, errors = with_errors(fitted(history.series), draws, seed, watch)
    watch("handling times and patience")
    handling, by_topic = (None, {}) if history.handling is None else laws_by_topic(history.handling, 60.0)
    patience = None if history.patience is None else fitted_law(history.patience, 3600.0)
    watch("held-back weeks and residuals")
    told = Told(history, fit, handling, by_topic, patience, _mentions(fit))
    scenario = told.scenario(name, window)
    return Calibrated(
        history, fit, errors, handling, by_topic, patience, held_back(fit), rescaled(fit, seed), told.mentions,
        scenario, (*history.notes, *told.notes()),
    )  # fmt: skip


def _mentions(fit: Fit) -> FloatArray:
    """Excess of all posts at the peak of each surge: that of the contacts, times what fits the posts best."""
    series, cases = fit.series, np.array([each.excess for each in fit.pulses])
    if series.mentions is None or not fit.pulses:
        return cases
    used = fit.used
    per_contact = float(series.mentions[used].sum() / max(fit.expected[used].sum(), 1e-9))
    base = fit.expected * per_contact
    edges = np.arange(series.n + 1, dtype=np.float64) * series.step_h
    shapes = np.stack([each.mean(edges) * base * series.known for each in fit.pulses], axis=1)
    more = (series.mentions - base) * series.known
    weight = 1.0 / np.maximum(base * (1.0 + fit.excess), 1.0)
    factor = np.linalg.lstsq(shapes * np.sqrt(weight)[:, None], more * np.sqrt(weight), rcond=None)[0]
    least = cases / max(per_contact, 1.0)  # posts that ask for nothing grow no fewer
    out: FloatArray = np.maximum(cases * factor, least)
    return out

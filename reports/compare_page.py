"""One self-contained page on a comparison."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from reports import palette
from reports.background import rows_of
from reports.compare_words import cell, counts, gap, in_worlds, words
from reports.compared import Compared
from reports.drawing import Drawing
from reports.names import PILLARS
from reports.page import template
from sim.compare import COMPARED, KEY
from sim.estimate import LEVEL


@dataclass(frozen=True)
class Row:
    """One alternative in one measure; the baseline has no difference. `tone` is kept, missed or empty."""

    name: str
    mean: str
    difference: str
    interval: str
    counts: str
    tone: str


@dataclass(frozen=True)
class Block:
    """One measure with all alternatives, and how it fares over the worlds."""

    id: str
    title: str
    rows: tuple[Row, ...]
    worlds: str


def page(told: Compared, drawn: Drawing, manifest: dict[str, Any] | None = None) -> str:
    """The comparison as one HTML file: no script, and nothing that would have to be fetched."""
    said = words(told)
    winner = any(
        told.pair(KEY[0], at, b).better for at in range(len(told.names)) for b in range(len(told.names)) if at != b
    )
    return template("compare.html.j2").render(
        told=told,
        colours=palette,
        said=said,
        tone="kept" if winner else "unclear",
        badge="A difference" if winner else "No clear difference",
        level=f"{100 * LEVEL:g}",
        finding=drawn.title,
        wide=Markup(drawn.wide),
        narrow=Markup(drawn.narrow),
        keys=[_block(told, name) for name in KEY],
        pillars=[(title, _others(told, pillar)) for pillar, title in PILLARS.items()],
        measures=COMPARED,
        ranges=[] if told.assumed is None else [
            (r.what, r.where, f"{r.low:g} to {r.high:g}" + ("" if r.likely is None else f", likely {r.likely:g}"))
            for r in told.assumed.ranges
        ],
        left_out=() if told.assumed is None else told.assumed.left_out,
        manifest=rows_of(manifest or {}),
    )  # fmt: skip


def _others(told: Compared, pillar: str) -> list[Block]:
    return [_block(told, name) for name, each in COMPARED.items() if each.pillar == pillar and name not in KEY]


def _block(told: Compared, name: str) -> Block:
    rows = [Row(told.names[0], cell(name, told.summaries[0][name]), "", "", "", "")]
    for at in range(1, len(told.names)):
        found = told.pair(name, at, 0)
        difference, interval = gap(found)
        tone = {True: "kept", False: "missed", None: ""}[found.better]
        mean = cell(name, told.summaries[at][name])
        rows.append(Row(told.names[at], mean, difference, interval or "–", counts(found), tone))
    judged = name in KEY and bool(told.world_days)
    text = in_worlds(told, told.best[name]) if judged else ""
    return Block(name, COMPARED[name].title, tuple(rows), f"{text[:1].upper()}{text[1:]}." if text else "")

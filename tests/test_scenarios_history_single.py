"""One row a contact: counts, mixes and lengths of time, and nothing that names anybody."""

from __future__ import annotations

import time
from pathlib import Path

import make_history as made
import numpy as np
import pytest

from scenarios.errors import InputError
from scenarios.history.columns import Map
from scenarios.history.histories import read_history
from scenarios.history.series import History
from scenarios.names import Language, Platform, Topic, code

PLAIN = Map.load("plain")
HEAD = "created;language;platform;topic;handling_min;wait_min;abandoned;author"


def rows(days: int = 20) -> list[str]:
    """Four contacts a day."""
    out = []
    for day in range(days):
        date = f"2025-10-{day + 10:02}" if day < 22 else f"2025-11-{day - 21:02}"
        for hour, rest in ((2, "en;x;info;10;5;0"), (9, "nl;x;refund;20,5;60;1"), (9, "nl;facebook;info;7;2;no"),
                           (23, "en;x;joke;;;")):  # fmt: skip
            out.append(f"{date} {hour:02}:10:00;{rest};jan{day}@example.org")
    return out


def read(path: Path, lines: list[str], head: str = HEAD, **more: object) -> History:
    path.write_text("\n".join([head, *lines]), "utf-8")
    return read_history(path, PLAIN, zone="Europe/Amsterdam", **more)  # type: ignore[arg-type]


def test_contacts_are_counted_by_quarter_and_language(tmp_path: Path) -> None:
    history = read(tmp_path / "a.csv", rows())
    series = history.series
    assert series.step_s == 900.0 and series.counts.sum() == 80
    assert series.counts[:, code(Language.NL)].sum() == 40
    assert sorted(set((series.slot[series.total > 0] % 24).tolist())) == [2, 9, 23]
    # What came before the first row of the first day is not known, nor what came after the last row.
    assert np.flatnonzero(~series.known).tolist() == [*range(9), series.n - 1]
    assert series.times_s is not None and series.times_s.size == 80


def test_mixes_and_lengths_are_those_of_the_rows(tmp_path: Path) -> None:
    history = read(tmp_path / "a.csv", rows())
    assert history.mixes["platform"][code(Platform.FACEBOOK)] == 20
    assert history.mixes["topic"][code(Topic.REFUND)] == 20
    assert history.mixes["topic"][code(Topic.JOKE)] == 0
    assert any("never cases" in note for note in history.notes)
    assert history.handling is not None and history.patience is not None
    assert history.handling.value_s.mean() == pytest.approx(60 * (10 + 20.5 + 7) / 3)
    assert history.patience.ended.sum() == 20
    assert set(history.patience.value_s[history.patience.ended].tolist()) == {3600.0}


def test_rows_of_a_ticket_are_one_contact_and_chatter_is_a_post(tmp_path: Path) -> None:
    lines = [f"{line};{i // 2};{'chatter' if i % 8 == 7 else 'case'}" for i, line in enumerate(rows())]
    history = read(tmp_path / "a.csv", lines, HEAD + ";ticket;kind")
    assert history.series.counts.sum() == 40
    assert history.series.mentions is not None and history.series.mentions.sum() == 80
    assert any("later messages" in note for note in history.notes)


def test_without_a_column_of_waits_those_to_the_first_reply_are_taken(tmp_path: Path) -> None:
    days = [f"2025-10-{10 + i:02}" for i in range(20)]
    lines = [f"{day} 10:00;{day} 10:30;" for day in days] + [f"{day} 10:00;;{day} 11:00" for day in days]
    history = read(tmp_path / "a.csv", lines, "created;first_reply;left")
    assert history.patience is not None
    assert history.patience.ended.sum() == 20
    assert sorted(set(history.patience.value_s.tolist())) == [1800.0, 3600.0]


def test_all_faults_are_told_together_and_no_address_with_them(tmp_path: Path) -> None:
    lines = rows()
    lines[3] = lines[3].replace("02:10", "xx").replace("23:10", "xx")
    lines[5] = lines[5].replace(";1;", ";maybe jan@example.org;")
    lines[6] = lines[6].replace(";7;", ";-7;")
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.csv", lines)
    said = str(caught.value)
    assert all(f"line {n}, " in said for n in (5, 7, 8))
    assert "jan" not in said


def test_a_million_rows_take_less_than_a_minute_and_little_memory_each(tmp_path: Path) -> None:
    # 100,000 rows here; time and memory grow with their number. A tenth of a minute, with room for a busy machine.
    rng = np.random.default_rng(1)
    at = np.sort(rng.uniform(0.0, 70 * 86_400.0, 100_000))
    base = np.datetime64("2025-09-08T00:00:00") + at.astype("timedelta64[s]")
    lines = [f"{moment};en;x;info;{h:.1f};{w:.1f};0;a" for moment, h, w in
             zip(base.astype(str), rng.gamma(2, 6, at.size), rng.gamma(1, 9, at.size), strict=True)]  # fmt: skip
    (tmp_path / "a.csv").write_text("\n".join([HEAD, *lines]), "utf-8")
    begun = time.process_time()
    history = read_history(tmp_path / "a.csv", PLAIN)
    assert time.process_time() - begun < 6.0
    assert history.series.counts.sum() == 100_000


def test_the_script_makes_the_carried_history() -> None:
    lines = made.FILE.read_text("utf-8").splitlines()
    assert lines[0] == "Start;Language;Contacts;Handling_min;Wait_min;Abandoned"
    assert len(lines) == 1 + made.WEEKS * 7 * 48 * len(made.LANGUAGES)
    again = made.table(made.truth(1), made.SEED).splitlines()
    assert again[0] == lines[0] and len(again) == 1 + 7 * 48 * 2
    assert [line.split(";")[:2] for line in again] == [line.split(";")[:2] for line in lines[: len(again)]]

"""A nowcast as people read it: the words, the figure, the folder, the JSON, and what is refused."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pytest
from click.testing import CliRunner, Result
from commands import TINY

from ashcloud import main
from reports.drawing import STYLE
from reports.nowcast import NowcastQuestion, NowcastSettings, ask
from reports.nowcast_figure import drawing, figure
from reports.nowcast_words import change, forecast, headline, when, why, words
from sim.crew import Watch
from sim.staff.nowcast import Nowcast
from sim.staff.nowcast_advice import Advice

CRISIS = ("09:00=150/40 10:00=200/60", "11:00", "09:00")
QUIET = ("09:00=0/0 10:00=0/0", "11:00", None)


class Silent:
    """Nobody listens."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, text: str) -> None:
        self.said.append(text)

    def waiting(self, what: str, pieces: int) -> Any:
        from contextlib import nullcontext

        return nullcontext(Watch())


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tiny desk with a small ladder, as a file."""
    data = Path(TINY).parent / "tiny_desk.toml"
    path = tmp_path_factory.mktemp("desk") / "called.toml"
    path.write_text(
        f'extends = "{data}"\nname = "called"\n'
        "[plan]\nname = 'small'\ntriggers = [{ signal = 'backlog', enter = 30.0, leave = 5.0 }]\n"
        "[[plan.ladder]]\nname = 'friends'\ngroups = [{ heads = 12, languages = ['nl', 'en'] }]\n"
        "lead_h = { kind = 'uniform', low = 1.0, high = 2.0 }\nacceptance = 1.0\n",
        "utf-8",
    )
    return str(path)


def question(desk: str, so_far: str, now: str, onset: str | None) -> NowcastQuestion:
    settings = NowcastSettings(now=now, so_far=so_far, onset=onset, backlog="nl=9", runs=6)
    return NowcastQuestion(TINY, desk, None, settings, ("ashcloud", "nowcast"))


@pytest.fixture(scope="module")
def told(desk: str) -> Nowcast:
    found = ask(question(desk, *CRISIS), None, Silent()).told
    assert found is not None
    return found


@pytest.fixture(scope="module")
def quiet(desk: str) -> Nowcast:
    found = ask(question(desk, *QUIET), None, Silent()).told
    assert found is not None
    return found


def plain(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def advised(told: Nowcast, **changes: Any) -> Nowcast:
    advice: Advice = replace(told.advice, **changes)
    return replace(told, advice=advice)


def test_the_headline_says_what_to_do(told: Nowcast) -> None:
    texts = {
        0.0: "Call in 12 heads now, Tue 2 Jun, 11:00: an hour later a point or more of the share in time is lost.",
        2.0: "Call in 12 heads by Tue 2 Jun, 13:00 at the latest.",
        8.0: "Call in 12 heads; it can wait until Tue 2 Jun, 19:00 at least, which is as late as was tried.",
    }
    monday = {hour: text.replace("Tue 2 Jun", "Mon 1 Jun") for hour, text in texts.items()}
    for latest, text in monday.items():
        assert plain(headline(advised(told, reason="needed", asked=told.advice.levels[-1], latest_h=latest))) == text
    assert "no ladder: nobody can be called in" in headline(advised(told, reason="no ladder"))
    assert headline(advised(told, reason="no use")).startswith("No call-in: the promise is likely to be missed")
    assert "kept with a probability of 91 %" in plain(headline(advised(told, reason="calm", risk=0.09)))


def test_a_crisis_is_told_with_whom_to_call_and_what_waiting_costs(told: Nowcast) -> None:
    said = [plain(line) for line in why(told)]
    assert told.advice.call
    assert any(line.startswith("First those who speak ") for line in said)
    assert any("If called now, 'friends': 3 asked now, " in line and "100 % say yes" in line for line in said)
    assert any(
        line.startswith("Call 3 of the 12 heads that can be asked, from the lowest rung on: 3 speak") for line in said
    )
    assert said[-1].startswith("Called an hour later ")
    assert "This is a surge with a probability above 99 %" in plain(forecast(told)[0])
    assert "the onset was stated as Mon 1 Jun, 09:00" in plain(forecast(told)[1])


def test_zeros_are_told_as_a_feed_to_look_at_and_no_call(quiet: Nowcast) -> None:
    said = words(quiet)
    assert said.headline.startswith("No call-in: ")
    assert any("look whether the feed works" in line for line in said.cautions)
    assert "else it is an ordinary day" in said.forecast[0]
    assert not any(line.startswith("If called now") for line in said.lines())


def test_what_would_change_the_advice_is_a_number_of_cases(told: Nowcast) -> None:
    text = plain(change(advised(told, limit=300.0, flips_at=17, reason="needed"))[0])
    assert text == "If the next hour, 11:00 to 12:00, brings fewer than 17 cases, no call is needed: then ask again."
    text = plain(change(advised(told, limit=300.0, flips_at=17, reason="calm"))[0])
    assert "brings more than 17 cases, a call is needed" in text
    assert "No likely number of cases" in change(advised(told, limit=300.0, flips_at=None))[0]


def test_no_sentence_is_broken(told: Nowcast, quiet: Nowcast) -> None:
    for line in (*words(told).lines(), *words(quiet).lines()):
        assert line[0].isupper() or line.startswith("called")
        assert line.endswith(".")
        assert "nan" not in line and "inf" not in line.replace("information", "")


def test_the_figure_says_its_findings_and_shows_the_fan(told: Nowcast, quiet: Nowcast) -> None:
    with mpl.rc_context(STYLE):
        _, axes = figure(told)
    titles = [plain(ax.get_title(loc="left")) for ax in axes]
    assert "cases in the next 24 hours, with 80 %; an ordinary day brings" in titles[0]
    assert "mentions in the next 24 hours" in titles[1]
    assert "if nobody is called in" in titles[2] and "if they are called now" in titles[2]
    names = axes[0].get_legend_handles_labels()[1]
    assert names == ["seen", "95 %", "80 %", "50 %", "middle", "ordinary day"]
    low, high = axes[2].get_ylim()
    assert low == 0.0 and high >= max(run.backlog.max() for run in (draw.played[1] for draw in told.draws[:1])) * 0.5
    drawn = drawing(quiet)
    assert drawn.wide.startswith("<svg") and drawn.title in drawn.wide


def test_a_folder_holds_all_of_it_and_is_not_overwritten(desk: str, tmp_path: Path) -> None:
    voice = Silent()
    first = ask(question(desk, *CRISIS), tmp_path / "now", voice)
    second = ask(question(desk, *CRISIS), tmp_path / "now", voice)
    assert (first.folder, second.folder) == (tmp_path / "now", tmp_path / "now-2")
    assert voice.said == [f"{tmp_path / 'now'} exists already: this nowcast is in {tmp_path / 'now-2'}"]
    found = {path.relative_to(tmp_path / "now").as_posix() for path in (tmp_path / "now").rglob("*") if path.is_file()}
    made = {"manifest.json", "scenario.json", "desk.json", "nowcast.json", "fan.csv", "figures/nowcast.svg"}
    assert made <= found
    one, two = ((folder / "nowcast.json").read_bytes() for folder in (tmp_path / "now", tmp_path / "now-2"))
    assert one == two
    manifest = json.loads((tmp_path / "now" / "manifest.json").read_bytes())
    assert (manifest["kind"], manifest["status"], manifest["finished"]) == ("nowcast", "finished", 6)


def test_the_table_of_the_hours_ahead_has_a_row_an_hour(desk: str, tmp_path: Path) -> None:
    ask(question(desk, *CRISIS), tmp_path / "now", Silent())
    with (tmp_path / "now" / "fan.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24
    assert rows[0]["from"] == "2015-06-01T11:00:00+02:00"
    for row in rows:
        ends = [float(row[f"cases_{end}"]) for end in ("low_95", "low_80", "low_50")]
        ends += [float(row["cases"]), *(float(row[f"cases_{end}"]) for end in ("high_50", "high_80", "high_95"))]
        assert ends == sorted(ends)


def ashcloud(*words: object) -> Result:
    return CliRunner().invoke(main, ["nowcast", *(str(word) for word in words)], prog_name="ashcloud")


def test_the_command_prints_json_for_machines(desk: str) -> None:
    done = ashcloud(TINY, "--desk", desk, "--now", "11:00", "--so-far", CRISIS[0], "--runs", 4, "--json")
    assert done.exit_code == 0, done.stderr

    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = json.loads(done.stdout, parse_constant=refuse)
    assert (found["scenario"], found["desk"], found["draws"], found["status"]) == ("tiny", "called", 4, "finished")
    assert [way["name"] for way in found["ways"]] == [
        "plan", "nobody", "now", "+1 h", "+2 h", "+4 h", "+8 h", "3 heads", "6 heads", "9 heads",
    ]  # fmt: skip
    assert len(found["fan"]) == 24 and found["totals"]["cases"]["low_80"] <= found["totals"]["cases"]["high_80"]
    assert isinstance(found["advice"]["call"], bool)


def test_the_command_says_first_what_to_do(desk: str) -> None:
    done = ashcloud(TINY, "--desk", desk, "--now", "11:00", "--so-far", QUIET[0], "--runs", 3)
    assert done.exit_code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("tiny on called, Mon 1 Jun 2015, 11:00 (Europe/Amsterdam): 2 hours seen, 0 cases wait")
    assert lines[2].startswith("No call-in: ")


def test_a_desk_without_a_ladder_has_nobody_to_call() -> None:
    tiny = str(Path(TINY).parent / "tiny_desk.toml")
    done = ashcloud(TINY, "--desk", tiny, "--now", "11:00", "--so-far", CRISIS[0], "--onset", "09:00",
                    "--backlog", "en=80,nl=40", "--runs", 3)  # fmt: skip
    assert done.exit_code == 0, done.stderr
    assert "tiny_desk has no ladder: nobody can be called in" in done.stdout
    assert "ladder called" not in done.stdout


def test_languages_that_nobody_brings_or_speaks_are_said_with_all_the_rest() -> None:
    done = ashcloud(TINY, "--now", "11:00", "--so-far", "07:00=5/9 09:00=-1/0 12:00=1/1", "--backlog", "ja=3,en=2")
    assert (done.exit_code, done.stdout) == (2, "")
    words = (
        "9 cases, more than",
        "-1 mentions",
        "09:00",
        "is after now",
        "gap of 1 h",
        "ja is no language in which tiny",
    )
    for word in words:
        assert word in done.stderr, word


def test_everything_wrong_is_said_at_once() -> None:
    done = ashcloud(
        "nowhere", "--desk", "nobody", "--plan", "nothing", "--now", "7", "--so-far", "5", "--backlog", "xx=1,nl=q"
    )  # fmt: skip
    assert (done.exit_code, done.stdout) == (2, "")
    for word in ("nowhere", "nobody", "nothing", "5: no such file", "xx is no language", "nl=q is no number of cases"):
        assert word in done.stderr, word


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--now", "11:00", "--so-far", "09:00=5/9 08:00=1/1"], "has 9 cases, more than its 5 mentions"),
        (["--now", "11:00", "--so-far", "09:00=5/9 08:00=1/1"], "put the hours in order of time"),
        (["--now", "11:00", "--so-far", "09:00=5/1", "--hours", "12"], "12 is not in the range 24<=x<=72"),
        (
            ["--now", "11:00", "--so-far", "09:00=5/1", "--backlog", "ja=3"],
            "ja is no language in which tiny brings cases",
        ),
        (["--so-far", "09:00=5/1"], "Missing option '--now'"),
        (["--now", "11:00"], "Missing option '--so-far'"),
    ],
)
def test_bad_input_has_a_hint_and_exit_code_2(words: list[str], hint: str) -> None:
    done = ashcloud(TINY, "--runs", "2", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert hint in done.stderr


def test_a_clock_time_is_written_like_all_others(told: Nowcast) -> None:
    assert plain(when(told.clock(1.5))) == "Mon 1 Jun, 12:30"

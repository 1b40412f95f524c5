"""Finding a file by name or path, and laying it over the one that it extends."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from scenarios import files
from scenarios.errors import InputError
from scenarios.files import library, load, merge, read, resolve


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A library of two, one built on the other."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    (folder / "quiet_week.toml").write_text('title = "quiet"\n[base]\nmentions = 357\ncases = 42\n')
    (folder / "volcano.toml").write_text('extends = "quiet_week"\ntitle = "ash"\n[base]\ncases = 420\n')
    return folder


def test_a_word_is_a_name_of_the_library_first_then_a_file(here: Path, shelf: Path) -> None:
    Path("volcano").write_text("")
    Path("mine").write_text("")
    assert resolve("volcano", shelf, "scenario") == shelf / "volcano.toml"
    assert resolve("./volcano", shelf, "scenario") == Path("volcano")
    assert resolve("mine", shelf, "scenario") == Path("mine")


def test_the_library_is_listed_by_name(shelf: Path) -> None:
    assert library(shelf) == ["quiet_week", "volcano"]


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("volcno", "scenario \"volcno\" is neither in the library nor a file; did you mean 'volcano'?"),
        ("Volcano", "scenario \"Volcano\" is neither in the library nor a file; did you mean 'volcano'?"),
        (
            "xyz",
            'scenario "xyz" is neither in the library nor a file; the library has quiet_week, volcano',
        ),
        ("", 'scenario "" is neither in the library nor a file; the library has quiet_week, volcano'),
        (
            "volcano.toml",
            "scenario \"volcano.toml\" does not exist; the library has 'volcano', without folder and ending",
        ),
        ("my/volcan.toml", "scenario \"my/volcan.toml\" does not exist; did you mean 'volcano'?"),
        ("my/own.toml", 'scenario "my/own.toml" does not exist'),
        ("a\0b", 'scenario "a\\u0000b" is neither'),
        ("y" * 9999, f'scenario "{"y" * 60}..." is neither'),
    ],
)
def test_an_unknown_name_gets_the_nearest_one(here: Path, shelf: Path, word: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        resolve(word, shelf, "scenario")
    assert str(caught.value).startswith(said)
    assert caught.value.exit_code == 2


def test_a_folder_is_not_taken_for_a_misspelt_name(here: Path, shelf: Path) -> None:
    Path("volcan").mkdir()
    with pytest.raises(InputError, match="did you mean 'volcano'"):
        resolve("volcan", shelf, "scenario")


def test_an_empty_library_says_so(here: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the library is empty"):
        resolve("volcano", tmp_path / "none", "scenario")


# --- extends ------------------------------------------------------------------------------------


def test_a_file_lies_over_the_one_it_extends(shelf: Path) -> None:
    document = read("volcano", shelf, "scenario")
    assert document.data == {"title": "ash", "base": {"mentions": 357, "cases": 420}}
    assert [path.stem for path, _ in document.layers] == ["volcano", "quiet_week"]


def test_a_path_is_relative_to_the_file_that_extends(here: Path, shelf: Path) -> None:
    Path("mine").mkdir()
    Path("mine/top.toml").write_text('extends = "parts/low.toml"\nb = 2')
    Path("mine/parts").mkdir()
    Path("mine/parts/low.toml").write_text('extends = "volcano"\na = 1')
    data = read("mine/top.toml", shelf, "scenario").data
    assert data == {"title": "ash", "base": {"mentions": 357, "cases": 420}, "a": 1, "b": 2}


def test_tables_merge_lists_and_laws_are_replaced() -> None:
    base = {
        "t": {"a": 1, "b": {"c": 2}},
        "l": [1, 2],
        "law": {"kind": "lognormal", "median": 3.0},
        "x": {"y": 1},
    }
    own = {"t": {"b": {"d": 4}}, "l": [9], "law": {"kind": "gamma", "mean": 2.0}, "x": 5}
    before = repr((base, own))
    assert merge(base, own) == {
        "t": {"a": 1, "b": {"c": 2, "d": 4}},
        "l": [9],
        "law": {"kind": "gamma", "mean": 2.0},
        "x": 5,
    }
    assert repr((base, own)) == before


def test_a_law_may_be_changed_in_part_without_naming_its_kind() -> None:
    base = {"law": {"kind": "lognormal", "median": 3.0, "sd_log": 1.0}}
    assert merge(base, {"law": {"median": 6.0}})["law"] == {"kind": "lognormal", "median": 6.0, "sd_log": 1.0}


def test_a_circle_is_told_with_its_names(here: Path, shelf: Path) -> None:
    Path("a.toml").write_text('extends = "b.toml"')
    Path("b.toml").write_text('extends = "c.toml"')
    Path("c.toml").write_text('extends = "b.toml"')
    with pytest.raises(InputError) as caught:
        read("a.toml", shelf, "scenario")
    assert str(caught.value) == "c.toml: extends goes in a circle: b.toml -> c.toml -> b.toml"


def test_a_file_that_extends_itself_is_a_circle(here: Path, shelf: Path) -> None:
    Path("a.toml").write_text('extends = "./a.toml"')
    with pytest.raises(InputError, match=r"a\.toml -> a\.toml"):
        read("a.toml", shelf, "scenario")


def test_eight_files_may_be_chained_and_no_more(here: Path, shelf: Path) -> None:
    for i in range(9):
        Path(f"{i}.toml").write_text(f'extends = "{i + 1}.toml"\nk{i} = 1')
    Path("8.toml").write_text("k8 = 1")
    assert len(read("1.toml", shelf, "scenario").data) == 8
    with pytest.raises(InputError, match=r"extends is a chain of more than 8 files: 0\.toml -> 1\.toml"):
        read("0.toml", shelf, "scenario")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('"volcan"', 'a.toml: extends names "volcan", which is neither in the library nor a file; did you'),
        ('"../x.toml"', 'a.toml: extends names "../x.toml", which does not exist'),
        ("3", "a.toml: extends is 3, should be the name of a scenario or of a file, in quotes"),
        ("[]", "a.toml: extends is a list of 0 entries, should be"),
    ],
)
def test_extending_what_is_not_there_blames_the_file_that_says_so(
    here: Path, shelf: Path, line: str, said: str
) -> None:
    Path("a.toml").write_text(f"extends = {line}")
    with pytest.raises(InputError) as caught:
        read("a.toml", shelf, "scenario")
    assert str(caught.value).startswith(said)


class Base(BaseModel):
    model_config = ConfigDict(extra="forbid")
    mentions: int
    cases: int


class Small(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    base: Base
    hours: list[int] = []


def test_load_gives_a_checked_value(here: Path, shelf: Path) -> None:
    Path("mine.toml").write_text('extends = "volcano"\nhours = [1, 2]')
    small = load(Small, "mine.toml", shelf, "scenario")
    assert small == Small(title="ash", base=Base(mentions=357, cases=420), hours=[1, 2])


def test_a_fault_names_the_file_that_it_sits_in(here: Path, shelf: Path) -> None:
    Path("low.toml").write_text('title = 3\nhours = [1, "x"]\n[base]\nmentions = "m"\ncase = 1\n')
    Path("top.toml").write_text('extends = "low.toml"\nhours = ["y"]\n[base]\nmentions = "n"\n')
    with pytest.raises(InputError) as caught:
        load(Small, "top.toml", shelf, "scenario")
    assert str(caught.value).splitlines() == [
        "low.toml: title is 3, should be text in quotes",
        'top.toml: base.mentions is "n", should be a whole number',
        "top.toml: base.cases is missing",
        "low.toml: base.case is an unknown key; did you mean 'cases'?",
        'top.toml: hours[0] is "y", should be a whole number',
    ]


def test_every_public_name_is_there() -> None:
    assert all(getattr(files, name) for name in files.__all__)

"""What lies in deploy/: it cannot be run here, but what it names must be there."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from commands import parse
from test_reports_load import answered, result

from careapi.metrics import Metrics
from reports import load_metrics

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
BOARD: dict[str, Any] = json.loads((DEPLOY / "grafana-board.json").read_text("utf-8"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
PROMETHEUS: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text("utf-8"))
CONTAINERFILE = (DEPLOY / "Containerfile").read_text("utf-8")
SERIES = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
WORDS = {"sum", "by", "rate", "histogram_quantile", "max", "min", "topk", "le", "up", "job", "m", "s", "or", "vector"}
ENDING = re.compile(r"_(total|bucket|sum|count)$")


def metrics() -> dict[str, set[str]]:
    """Every series that the service and a load test tell, with its labels."""
    return of_service() | of_load()


def of_load() -> dict[str, set[str]]:
    told = answered(result(), "p99<1s")
    families = load_metrics.families(load_metrics.of_result(told.result, told.checks, told.verdict))
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


def of_service() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for each in vars(Metrics()).values():
        if not hasattr(each, "_labelnames"):
            continue
        for suffix in SERIES[each._type]:
            labels = {*each._labelnames, *(["le"] if suffix == "_bucket" else [])}
            found[each._name + suffix] = labels
    return found


def expressions() -> list[str]:
    return [target["expr"] for panel in BOARD["panels"] for target in panel.get("targets", ())]


@pytest.mark.parametrize("expression", expressions())
def test_the_board_asks_for_metrics_and_labels_that_exist(expression: str) -> None:
    known = metrics()
    bare = re.sub(r'"[^"]*"', "", expression)
    names = {name for name in re.findall(r"[a-z_]+", bare) if name not in WORDS}
    series = names & set(known)
    assert series or "up" in bare
    assert names - set(known) - {label for name in series for label in known[name]} == set()


@pytest.mark.parametrize("told", [of_service, of_load])
def test_the_board_shows_every_metric_of_the_service_and_of_a_load_test(
    told: Callable[[], dict[str, set[str]]],
) -> None:
    shown = {ENDING.sub("", name) for name in re.findall(r"\b(?:care|ashcloud)_[a-z_]+", " ".join(expressions()))}
    families = {ENDING.sub("", name) for name in told()}
    assert families
    assert families <= shown


def test_every_panel_says_what_it_shows_in_which_unit() -> None:
    for panel in BOARD["panels"]:
        assert panel["type"] == "row" or (
            panel["description"].endswith(".") and panel["fieldConfig"]["defaults"]["unit"]
        )


def test_words_of_the_board_stand_for_labels_that_there_are() -> None:
    known = metrics()
    for panel in BOARD["panels"]:
        for target in panel.get("targets", ()):
            names = set(re.findall(r"[a-z_]+", target["expr"])) & set(known)
            labels = {label for name in names for label in known[name]} | {"instance"}
            assert set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])) <= labels


def test_the_panels_of_the_board_do_not_lie_over_each_other() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in BOARD["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_the_containers_start_the_service_with_commands_that_it_has() -> None:
    started = json.loads(re.findall(r"^CMD (\[.*\])$", CONTAINERFILE, re.M)[-1])
    for words in (started, COMPOSE["services"]["care"]["command"]):
        assert parse("ashcloud " + " ".join(words).replace("${CARE_DB_PASSWORD:?}", "x")) == ("serve",)


def test_what_goes_into_the_image_is_there() -> None:
    copied = {word for line in re.findall(r"^COPY (?!--)(.*) \S+$", CONTAINERFILE, re.M) for word in line.split()}
    assert [word for word in copied if not (ROOT / word).exists()] == []
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["only-include"]) <= copied
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert copied <= let_in


def test_prometheus_asks_the_service_where_it_listens() -> None:
    job = PROMETHEUS["scrape_configs"][0]
    host, port = job["static_configs"][0]["targets"][0].split(":")
    command = COMPOSE["services"][host]["command"]
    assert command[command.index("--port") + 1] == port
    assert job["metrics_path"] == "/metrics"


def test_prometheus_asks_a_load_test_where_the_guide_says_that_it_is_told() -> None:
    job = PROMETHEUS["scrape_configs"][1]
    host, port = job["static_configs"][0]["targets"][0].split(":")
    assert f"{host}:host-gateway" in COMPOSE["services"]["prometheus"]["extra_hosts"]
    text = (DEPLOY / "README.md").read_text("utf-8") + json.dumps(BOARD)
    assert set(re.findall(r"--exporter-port (\d+)", text)) == {port}


def test_no_port_is_open_to_other_machines_and_no_secret_has_a_default() -> None:
    for service in COMPOSE["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    named = set(re.findall(r"\$\{(\w+)([^}]*)\}", text))
    assert {rest for _, rest in named} == {":?"}  # without it compose stops and says which is missing
    given = re.findall(r"^(\w+)=", (DEPLOY / "example.env").read_text("utf-8"), re.M)
    assert {name for name, _ in named} == set(given)

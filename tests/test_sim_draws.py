"""Draws by name: the generator's known answers, the laws' moments, and that names alone decide."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from pydantic import TypeAdapter

from scenarios.laws import Law
from sim import draws
from sim.draws import Stream

N = 40_000

# Known answers of Philox4x32-10 (Random123, kat_vectors): counter, key, result.
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((0xFFFFFFFF,) * 4, (0xFFFFFFFF,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


@pytest.mark.parametrize(("counter", "key", "result"), KNOWN)
def test_philox_gives_the_published_words(
    counter: tuple[int, ...], key: tuple[int, ...], result: tuple[int, ...]
) -> None:
    words = draws.philox(*(np.uint64(x) for x in (*counter, *key)))
    assert tuple(int(word) for word in words) == result


def law(**data: object) -> Law:
    made: Law = TypeAdapter(Law).validate_python(data)
    return made


LAWS = [
    law(kind="constant", value=3.0),
    law(kind="exponential", mean=4.0),
    law(kind="gamma", mean=5.0, cv=0.5**0.5),
    law(kind="gamma", mean=5.0, cv=2.0),
    law(kind="lognormal", mean=20.0, cv=0.9),
    law(kind="lognormal", median=6.0, sd_log=0.8),
    law(kind="weibull", mean=7.0, shape=0.7),
    law(kind="uniform", low=2.0, high=5.0),
    law(kind="empirical", quantiles=[0.0, 1.0, 1.0, 6.0]),
    law(
        kind="mixture",
        parts=[
            {"weight": 0.3, "law": {"kind": "constant", "value": 1.0}},
            {"weight": 0.7, "law": {"kind": "exponential", "mean": 10.0}},
        ],
    ),
]


def sample(which: Law, unit: float = 1.0, seed: int = 7) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    table = draws.encode([(LAWS[-1], 60.0), (which, unit)])  # not the first row: positions must hold
    key = draws.key(seed, 0)
    return np.array([draws.draw(table, 1, key, Stream.HANDLING, case, 0) for case in range(N)])


@pytest.mark.parametrize("which", LAWS, ids=lambda which: which.kind)
def test_a_law_has_its_mean_in_seconds(which: Law) -> None:
    values = sample(which, unit=60.0)
    error = values.std() / math.sqrt(N)
    assert values.mean() == pytest.approx(which.mean() * 60.0, abs=max(4 * error, 1e-9))
    assert values.min() >= 0


@pytest.mark.parametrize("which", LAWS, ids=lambda which: which.kind)
def test_engine_and_generator_draw_from_the_same_law(which: Law) -> None:
    # Two-sample Kolmogorov-Smirnov: with n = m = 40,000 the 0.1 % point is 1.95 sqrt(2 / n) = 0.0138.
    mine = np.sort(sample(which))
    other = np.sort(which.draw(np.random.default_rng(5), N))
    at = np.concatenate([mine, other])
    gap = np.abs(np.searchsorted(mine, at, side="right") - np.searchsorted(other, at, side="right")) / N
    assert gap.max() <= 0.0138


def test_uniforms_are_even_and_streams_subjects_and_turns_are_independent() -> None:
    key = draws.key(1, 0)
    by_case = np.array([draws.uniform(key, Stream.PATIENCE, i, 0) for i in range(N)])
    by_turn = np.array([draws.uniform(key, Stream.PATIENCE, 0, i) for i in range(N)])
    other = np.array([draws.uniform(key, Stream.SILENT, i, 0) for i in range(N)])
    for values in (by_case, by_turn, other):
        assert values.min() > 0 and values.max() < 1
        # Chi-square over 100 bins: mean 99, sd 14.07; 5 sd.
        counts = np.histogram(values, bins=100, range=(0, 1))[0]
        assert abs(float(((counts - N / 100) ** 2 / (N / 100)).sum()) - 99) < 71
    for pair in ((by_case, by_turn), (by_case, other), (by_case[:-1], by_case[1:])):
        assert abs(float(np.corrcoef(*pair)[0, 1])) < 4.5 / math.sqrt(N)


def test_a_replication_has_a_key_of_its_own() -> None:
    keys = {int(draws.key(seed, r)) for seed in range(50) for r in range(50)}
    assert len(keys) == 2500


def test_a_draw_is_the_same_in_another_process() -> None:
    code = (
        "from sim import draws; from pydantic import TypeAdapter; from scenarios.laws import Law;"
        "t = draws.encode([(TypeAdapter(Law).validate_python({'kind': 'gamma', 'mean': 5.0, 'cv': 2.0}), 1.0)]);"
        "print(repr(float(draws.draw(t, 0, draws.key(3, 4), 2, 1 << 61, 6))))"
    )
    table = draws.encode([(LAWS[3], 1.0)])
    here = repr(float(draws.draw(table, 0, draws.key(3, 4), 2, 1 << 61, 6)))
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert there.stdout.strip() == here

"""Clusters: sizes, delays and the self-exciting process against closed forms."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from scenarios import clusters as cl
from scenarios.laws import Constant, Exponential, FloatArray
from scenarios.model import Batches, Children, Clusters, FollowUps, Reposts
from scenarios.names import NONE

CASES = json.loads((Path(__file__).parent / "data" / "validation_cases.json").read_text("utf-8"))["cases"]
V28 = next(case for case in CASES if case["id"] == "V28")

DELAY = cl.minutes(Exponential(kind="exponential", mean=1.0 / cl.MINUTE_S))  # mean 1 s


def rng(seed: int = 20100415) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64DXSM(seed))


# --- V28: the Hawkes process ----------------------------------------------------------------------

RATE = V28["parameters"]["base_rate"]
RATIO = V28["parameters"]["branching_ratio"]


def hawkes(horizon_s: float, windows: int, seed: int) -> tuple[FloatArray, FloatArray]:
    """Times of independent processes that start with an empty history, and the process of each."""
    generator = rng(seed)
    first = horizon_s * generator.random(generator.poisson(RATE * horizon_s * windows))
    process = generator.integers(0, windows, first.size)
    contacts = cl.grow(first, RATIO, DELAY, generator, horizon_s)
    return contacts.time_s, process[contacts.root].astype(np.float64)


@pytest.mark.parametrize(("at_s", "rate"), [(float(t), r) for t, r in V28["exact"]["rate_at"].items()])
def test_the_mean_rate_grows_from_an_empty_history_as_known(at_s: float, rate: float) -> None:
    # The mean of 0.2 s around t differs from the rate at t by less than 1e-3 (second derivative at
    # most 0.32, times 0.1^2 / 6). The rest is chance: 3.3 standard errors over 8,000 processes.
    processes, half_s = 8_000, 0.1
    time_s, process = hawkes(at_s + half_s, processes, seed=28)
    near = np.abs(time_s - at_s) < half_s
    counts = np.bincount(process[near].astype(int), minlength=processes) / (2 * half_s)
    error = counts.std(ddof=1) / math.sqrt(processes)
    assert error < 0.02 * rate
    assert counts.mean() == pytest.approx(rate, abs=3.3 * error + 1e-3)


def test_the_index_of_dispersion_is_that_of_a_hawkes_process() -> None:
    exact = V28["exact"]
    # One long stationary run; 100 s of burn-in are 20 time constants of its memory, 1 / (0.2 per s).
    # 2,000 windows of 120 s give a standard error of about sqrt(2 / 2000) = 3.2 % for the longest.
    length_s, burn_s = 240_000.0, 100.0
    generator = rng(2)
    first = (length_s + burn_s) * generator.random(generator.poisson(RATE * (length_s + burn_s)))
    time_s = cl.grow(first, RATIO, DELAY, generator, length_s + burn_s).time_s - burn_s
    time_s = time_s[time_s >= 0]
    for window, index in exact["index_of_dispersion"].items():
        width = float(window)
        n = int(length_s / width)
        counts = np.bincount((time_s / width).astype(np.intp), minlength=n)[:n]
        assert n >= 400
        assert counts.var(ddof=1) / counts.mean() == pytest.approx(index, rel=0.10)
    counts = np.bincount((time_s / 120.0).astype(np.intp))
    error = counts.std(ddof=1) / math.sqrt(counts.size)
    assert counts.mean() == pytest.approx(120.0 * exact["stationary_rate"], abs=3.3 * error)


def test_the_mean_cascade_has_the_known_size() -> None:
    n = 100_000
    contacts = cl.grow(np.zeros(n), RATIO, DELAY, rng(3))
    sizes = np.bincount(contacts.root, minlength=n)
    # A cascade has variance r / (1 - r)^3 = 100 (Borel); 5 standard errors of 10 / sqrt(n).
    assert sizes.mean() == pytest.approx(V28["exact"]["mean_cascade_size"], abs=5 * 10 / math.sqrt(n))


# --- children -------------------------------------------------------------------------------------


@pytest.mark.parametrize("ratio", [0.0, 0.2, 0.5, 0.9])
def test_clusters_have_the_sizes_of_a_branching_process(ratio: float) -> None:
    n = 100_000
    contacts = cl.grow(np.zeros(n), ratio, DELAY, rng())
    sizes = np.bincount(contacts.root, minlength=n)
    mean, variance = 1 / (1 - ratio), ratio / (1 - ratio) ** 3
    assert sizes.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / n) + 1e-12)
    # Nobody sets anything off with probability exp(-ratio); binomial, 5 standard errors.
    alone = math.exp(-ratio)
    assert np.mean(sizes == 1) == pytest.approx(alone, abs=5 * math.sqrt(alone * (1 - alone) / n) + 1e-12)


def test_children_come_after_their_parents_by_the_law_and_in_their_cluster() -> None:
    first = np.arange(50_000, dtype=np.float64)
    contacts = cl.grow(first, 0.5, DELAY, rng())
    n = first.size
    assert (contacts.parent[:n] == NONE).all()
    assert (contacts.root[:n] == np.arange(n)).all()
    child = np.arange(n, len(contacts))
    parent = contacts.parent[child]
    assert (parent >= 0).all()
    assert (parent < child).all()
    assert (contacts.root[child] == contacts.root[parent]).all()
    delay = contacts.time_s[child] - contacts.time_s[parent]
    # Exponential of mean 1 and deviation 1: 5 standard errors.
    assert delay.mean() == pytest.approx(1.0, abs=5 / math.sqrt(delay.size))
    assert np.mean(delay > 1) == pytest.approx(math.exp(-1), abs=5 * 0.5 / math.sqrt(delay.size))


def test_an_end_cuts_off_what_comes_after_it() -> None:
    late = cl.minutes(Constant(value=1.0))
    contacts = cl.grow(np.array([0.0, 30.0]), 0.9, late, rng(), until_s=100.0)
    assert (contacts.time_s < 100.0).all()
    assert set(contacts.time_s) <= {0.0, 30.0, 60.0, 90.0}


# --- follow-ups, reposts, batches -----------------------------------------------------------------


def test_follow_ups_are_geometric_and_each_a_gap_after_the_post_before() -> None:
    n, mean = 60_000, 0.6
    law = FollowUps(mean=mean, gap_min=Constant(value=10.0), quick_share=0.0)
    who, when = cl.follow_ups(np.zeros(n), law, rng(1), rng(2))
    counts = np.bincount(who, minlength=n)
    variance = mean * (1 + mean)
    assert counts.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / n))
    # Geometric: a further post follows with probability mean / (1 + mean), however many there were.
    again = mean / (1 + mean)
    for k in range(3):
        those = int((counts >= k).sum())
        part = np.mean(counts[counts >= k] > k)
        assert part == pytest.approx(again, abs=5 * math.sqrt(again * (1 - again) / those))
    for person in np.flatnonzero(counts == 3)[:20]:
        assert sorted(when[who == person]) == pytest.approx([600, 1200, 1800])


def test_a_share_of_the_follow_ups_comes_at_once() -> None:
    law = FollowUps(mean=1.0, gap_min=Constant(value=60.0), quick_share=0.2, quick_s=90.0)
    who, when = cl.follow_ups(np.zeros(40_000), law, rng(1), rng(2))
    first = np.full(40_000, np.inf)
    np.minimum.at(first, who, when)
    gaps = first[np.isfinite(first)]
    quick = gaps < 3600
    assert np.mean(quick) == pytest.approx(0.2, abs=5 * 0.4 / math.sqrt(gaps.size))
    # Uniform up to 90 s: mean 45, deviation 26.
    assert gaps[quick].mean() == pytest.approx(45, abs=5 * 26 / math.sqrt(quick.sum()))
    assert gaps[quick].max() <= 90


@pytest.mark.parametrize("mean", [0.05, 0.4, 1.8, 6.0])
def test_reposts_have_the_stated_mean_and_a_heavy_tail(mean: float) -> None:
    # A tail of index 2.5 has a variance, so that there is a standard error; of index 1.6 it has none.
    n = 400_000
    counts = cl.repost_counts(n, Reposts(mean=mean, tail=2.5), rng())
    error = counts.std() / math.sqrt(n)
    assert counts.mean() == pytest.approx(mean, abs=5 * error)
    # Beyond a few, P(count >= k) falls as k^-tail: from 10 to 20 times the scale by 2^-2.5 = 0.177.
    scale = mean * 1.5 / 2.5
    near, far = (int(np.sum(counts >= k * max(scale, 1.0))) for k in (10, 20))
    if near > 500:
        slope = 2**-2.5
        # Rounding by chance shifts a threshold of k >= 10 by up to half a post, 5 % of it: 12 % of the share.
        assert far / near == pytest.approx(slope, abs=5 * math.sqrt(slope / near) + 0.12 * slope)


def test_no_reposts_where_the_mean_is_0() -> None:
    assert cl.repost_counts(100, Reposts(mean=0.0), rng()).sum() == 0


def kernel(t_s: FloatArray, law: Reposts) -> FloatArray:
    """Share of the reposts that came within `t_s`, integrated by hand for powers 1 and 2."""
    flat_s, cut_s = law.flat_min * 60, law.cut_h * 3600
    x, end = t_s / flat_s, cut_s / flat_s
    if law.power == 1:
        return np.where(x < 1, x, 1 + np.log(np.maximum(x, 1))) / (1 + math.log(end))
    assert law.power == 2
    return np.where(x < 1, x, 2 - 1 / np.maximum(x, 1)) / (2 - 1 / end)


@pytest.mark.parametrize("power", [1.0, 2.0])
def test_reposts_fall_off_as_the_kernel_says(power: float) -> None:
    law = Reposts(mean=1.0, flat_min=5.0, power=power, cut_h=72.0)
    n = 100_000
    delay = np.sort(cl.repost_delays(n, law, rng()))
    assert delay[0] >= 0
    assert delay[-1] <= 72 * 3600
    # Kolmogorov-Smirnov: 1.95 / sqrt(n) is passed once in a thousand.
    distance = np.abs(kernel(delay, law) - (np.arange(n) + 0.5) / n).max()
    assert distance < 1.95 / math.sqrt(n)


def test_a_power_near_1_is_nearly_power_1() -> None:
    near, at = (cl.repost_delays(1000, Reposts(mean=1.0, power=power), rng()) for power in (1.0 + 1e-9, 1.0))
    assert near == pytest.approx(at, rel=1e-6)


def test_a_kernel_cut_before_it_falls_is_flat() -> None:
    delay = cl.repost_delays(10_000, Reposts(mean=1.0, flat_min=60.0, cut_h=0.5), rng())
    assert delay.max() <= 1800
    # Uniform on 1,800 s: deviation 520.
    assert delay.mean() == pytest.approx(900, abs=5 * 520 / 100)


def test_a_batch_comes_with_its_head() -> None:
    first = np.arange(0.0, 5_000_000.0, 100.0)
    law = Batches(share=0.1, size=4, spread_s=30.0)
    time_s, origin = cl.gather(first, law, rng())
    n = first.size
    assert (time_s[:n] == first).all()
    late = time_s[n:] - first[origin[n:]]
    assert (late >= 0).all()
    assert (late < 30).all()
    sizes = np.bincount(origin)
    assert set(sizes) == {1, 4}
    assert np.mean(sizes == 4) == pytest.approx(0.1, abs=5 * 0.3 / math.sqrt(n))


# --- all together ---------------------------------------------------------------------------------

ALL = Clusters(
    follow_ups=FollowUps(mean=0.4),
    children=Children(ratio=0.6, case_ratio=0.2),
    reposts=Reposts(mean=0.5, tail=2.5),
    batches=Batches(share=0.1, size=3),
)


def test_a_chatter_contact_makes_as_many_posts_as_the_generator_divides_by() -> None:
    n = 60_000
    start, origin = cl.gather(np.zeros(n), ALL.batches, rng(1))
    contacts = cl.grow(start, ALL.children.ratio, DELAY, rng(2))
    who, _ = cl.follow_ups(contacts.time_s, ALL.follow_ups, rng(3), rng(4))
    shared = cl.repost_counts(len(contacts), ALL.reposts, rng(5))
    posts = 1.0 + np.bincount(who, minlength=len(contacts)) + shared
    of_contact = np.bincount(origin[contacts.root], weights=posts, minlength=n)
    error = of_contact.std() / math.sqrt(n)
    assert error < 0.01 * ALL.posts_per_chatter
    assert of_contact.mean() == pytest.approx(ALL.posts_per_chatter, abs=5 * error)


def test_the_lead_covers_nearly_all_that_a_contact_sets_off() -> None:
    lead_s = cl.lead_s(ALL, ALL.children.ratio, True)
    contacts = cl.grow(np.zeros(50_000), ALL.children.ratio, cl.minutes(ALL.children.delay_min), rng(6))
    _, when = cl.follow_ups(contacts.time_s, ALL.follow_ups, rng(7), rng(8))
    counts = cl.repost_counts(len(contacts), ALL.reposts, rng(9))
    late = np.repeat(contacts.time_s, counts) + cl.repost_delays(int(counts.sum()), ALL.reposts, rng(10))
    posts = np.concatenate([contacts.time_s, when, late])
    # The pilots find the quantile 0.9995 from some 25,000 posts, so with 12.5 posts beyond it: a
    # standard deviation of 3.5, five of which may be missing.
    assert np.mean(posts > lead_s) < (12.5 + 5 * math.sqrt(12.5)) / 25_000
    assert lead_s <= 80 * 3600
    assert cl.lead_s(ALL, ALL.children.case_ratio, False) < lead_s

"""What Prometheus may ask for: counters of this process, and the queues as they stand in the store."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from careapi.tx import Tx
from scenarios.names import Language

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
BUCKETS_JOBS = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """Counters of one application, in a registry of their own."""

    def __init__(self) -> None:
        own = self.registry = CollectorRegistry()
        what = ["kind", "status"]
        self.requests = Counter("care_requests", "Requests by kind and status.", what, registry=own)
        self.seconds = Histogram(
            "care_request_seconds", "Time from the request to the answer.", ["kind"], registry=own, buckets=BUCKETS_S
        )
        self.shed = Counter("care_shed", "Requests turned away, by kind and why.", ["kind", "why"], registry=own)
        what = ["platform", "outcome"]
        self.mentions = Counter("care_mentions", "Posts by platform and what became of them.", what, registry=own)
        self.claims = Counter("care_claims", "Claims by outcome.", ["outcome"], registry=own)
        self.inflight = Gauge("care_inflight", "Requests in hand.", registry=own)
        self.streams = Gauge("care_streams", "Streams of events that are open.", registry=own)
        self.waiting = Gauge("care_writes_waiting", "Writes that no transaction has taken up.", registry=own)
        self.commit_jobs = Histogram(
            "care_commit_jobs", "Writes that shared a transaction.", registry=own, buckets=BUCKETS_JOBS
        )
        self.commit_seconds = Histogram(
            "care_commit_seconds", "Time of a transaction that writes.", registry=own, buckets=BUCKETS_S
        )
        self.open = Gauge("care_open_cases", "Cases that wait for an agent.", ["lang"], registry=own)
        self.oldest = Gauge("care_oldest_wait_seconds", "How long the oldest of them waits.", ["lang"], registry=own)

    def commit(self, jobs: int, took_s: float) -> None:
        """Count a transaction; called from any thread."""
        self.commit_jobs.observe(jobs)
        self.commit_seconds.observe(took_s)

    def text(self) -> bytes:
        """The metrics in the form that Prometheus reads."""
        return generate_latest(self.registry)

    def queues(self, levels: dict[str, tuple[int, float]]) -> None:
        """Set the queues: number and oldest wait in seconds, by language."""
        for language in Language:
            number, oldest_s = levels.get(language.value, (0, 0.0))
            self.open.labels(language.value).set(number)
            self.oldest.labels(language.value).set(oldest_s)


def levels(tx: Tx) -> dict[str, tuple[int, float]]:
    """How many cases wait in each language that has any, and how long the oldest does."""
    rows = tx.rows("SELECT lang, count(*), min(waiting_since_s) FROM \"case\" WHERE status = 'open' GROUP BY lang")
    return {str(row[0]): (int(row[1]), max(tx.now_s - row[2], 0.0)) for row in rows}

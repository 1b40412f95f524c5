"""Local clock times of seconds from onset."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo


def local_time(onset_local: datetime, timezone: str, t_s: float, zone: str | None = None) -> datetime:
    """Clock time in `zone` (or `timezone`) at `t_s` seconds after a naive local onset in `timezone`."""
    start = onset_local.replace(tzinfo=ZoneInfo(timezone))
    utc = start.astimezone(ZoneInfo("UTC")) + timedelta(seconds=t_s)
    return utc.astimezone(ZoneInfo(zone or timezone))


def midnight_s(utc_s: float, zone: ZoneInfo) -> float:
    """Seconds after 1970 of the local midnight before `utc_s`."""
    day = datetime.fromtimestamp(utc_s, zone).date()
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()

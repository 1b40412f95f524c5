"""One line of JSON for each thing worth telling, on standard error: numbers and codes, no texts, no handles."""

from __future__ import annotations

import logging
import time
import traceback

import msgspec

LOG = logging.getLogger("ashcloud.care")


class JsonLines(logging.Formatter):
    """Turns a record into a line; what is passed as ``extra={"told": {...}}`` goes along."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter.format`. Of an error its kind and its place are told, not its words."""
        line: dict[str, object] = {
            "at": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)) + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "told", {}),
        }
        if record.exc_info and record.exc_info[0] is not None:
            line["error"] = record.exc_info[0].__name__
            places = traceback.extract_tb(record.exc_info[2])[-4:]
            line["places"] = [f"{place.filename.rpartition('/')[2]}:{place.lineno} {place.name}" for place in places]
        return msgspec.json.encode(line, enc_hook=str).decode()


def to_stderr(level: int = logging.INFO) -> None:
    """Send the log of the service to standard error as lines of JSON; that of its server goes nowhere."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    LOG.handlers, LOG.propagate = [handler], False
    LOG.setLevel(level)
    # The server would print errors with their words, which may be those of a customer; the application told of them.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)

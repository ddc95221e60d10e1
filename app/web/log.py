"""The operations log: one JSON object a line, and never a word out of a request or a record.

Shape: `event` says what happened; `request` and `error` are ids that the caller was told too.
"""

import logging
import time
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType

import msgspec

LOGGER = logging.getLogger("homeroom")
_BLANK = logging.makeLogRecord({"name": LOGGER.name}).__dict__
_USUAL = {*_BLANK, "message", "asctime", "taskName", "color_message"}
"""What stands in every log record; the rest are the facts of the event."""


class Event(logging.LogRecord):
    """What happened, with its facts. Nobody looks for the line of code that says so: every request has one."""

    def __init__(self, event: str, level: int, facts: Mapping[str, object]) -> None:
        self.__dict__.update(_BLANK)
        self.created, self.msg, self.facts = time.time(), event, facts
        self.levelno, self.levelname = level, logging.getLevelName(level)


class Lines(logging.Formatter):
    """Writes a log record as one line of JSON.

    # INVARIANT: an exception's text may quote a record, a token or a query. Only its kind and the places that it passed
    # through are written, also for what libraries log.
    """

    def format(self, record: logging.LogRecord) -> str:
        """One line, without its end."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
        }
        if isinstance(record, Event):
            line |= {"event": record.msg, **record.facts}
            return msgspec.json.encode(line, enc_hook=str).decode()
        message = record.getMessage().strip()
        line["event"] = "start-up failed" if "Traceback (most recent call last)" in message else message
        line |= {name: value for name, value in record.__dict__.items() if name not in _USUAL}
        if record.exc_info and record.exc_info[0] is not None:
            line |= {"kind": record.exc_info[0].__name__, "where": where(record.exc_info[2])}
        return msgspec.json.encode(line, enc_hook=str).decode()


def where(trace: TracebackType | None) -> list[str]:
    """The places that an exception passed through, outermost first: file, line and function, no text."""
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)][-12:]


def note(event: str, *, level: int = logging.INFO, **facts: object) -> None:
    """Write one event with its facts. INVARIANT: a fact is an id, a number, a status or a route; never a value."""
    if LOGGER.isEnabledFor(level):
        LOGGER.handle(Event(event, level, facts))


CONFIGURATION: dict[str, object] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"lines": {"()": "app.web.log.Lines"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "lines", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "homeroom": {"level": "INFO"},
        "uvicorn": {"level": "WARNING"},
    },
}
"""For `logging.config.dictConfig`: everything to standard error, as lines."""

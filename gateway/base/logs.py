"""Log lines for operators, and the filter that keeps personal data out of them.

No log line holds a query string, a body, a token or the exception text of a library: the Zaken API takes
BSNs in its query strings, and HTTP libraries repeat URLs in theirs.
"""

import io
import json
import logging
import re
import sys
import threading
from collections.abc import Callable, Iterator, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import Processor

from gateway.base import clock, correlation

# The last tells what a collector of traces answered.
HTTP_LIBRARIES = ("urllib3", "requests", "werkzeug", "http", "httpx", "charset_normalizer", "opentelemetry")
# What a command says to people, in a log of JSON.
SAID = "said"
WITHHELD = "(text withheld)"
_FRAMES = 15

_QUERY_VALUE = re.compile(r"([?&][\w.\[\]%-]+=)[^\s&'\"<>)]+")
_TOKEN = re.compile(r"(?i)\b((?:bearer|token|basic)\s+)[\w.~+/=-]{8,}")
# A last net: a number of 8 or 9 digits standing alone may be a BSN, whatever it was meant to be.
_MAYBE_BSN = re.compile(r"(?<![\w.-])\d{8,9}(?![\w-])")


def scrub(text: str) -> str:
    """The text without query values, tokens and numbers that could be a BSN."""
    text = _QUERY_VALUE.sub(r"\1*", text)
    text = _TOKEN.sub(r"\1*", text)
    return _MAYBE_BSN.sub("*", text)


def safe_error(exc: BaseException) -> str:
    """What may be said about an exception: its type, and what is safe by construction.

    That is the call's template and the cause of our own errors (`template`, `cause`), the name that the database gives
    to one of the store (`store_code`), the errno of an OSError. Never its text.
    """
    kind = type(exc)
    name = kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
    said = [name]
    template = getattr(exc, "template", None)
    if isinstance(template, str):
        said.append(scrub(template))
    elif isinstance(code := getattr(exc, "store_code", None), str):
        said.append(code)
    elif isinstance(exc, OSError) and isinstance(exc.errno, int):
        said.append(f"errno {exc.errno}")
    return " ".join(part for part in said if part)


def safe_traceback(exc: BaseException) -> str:
    """Where it went wrong, as `module:line function` from the outside in, for the whole chain of causes."""
    return " | ".join(f"{safe_error(one)} at {' > '.join(_places(one.__traceback__))}" for one in _chain(exc))


def _chain(exc: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while exc is not None and id(exc) not in seen:
        seen.add(id(exc))
        yield exc
        exc = exc.__cause__ or (None if exc.__suppress_context__ else exc.__context__)


def _places(traceback: TracebackType | None) -> list[str]:
    places = []
    while traceback is not None:
        frame = traceback.tb_frame
        places.append(f"{frame.f_globals.get('__name__', '?')}:{traceback.tb_lineno} {frame.f_code.co_name}")
        traceback = traceback.tb_next
    return places[-_FRAMES:]


def silence_http_libraries() -> None:
    """Make the HTTP libraries unable to log a URL, whatever handlers there are. May be called again.

    It works where records are made: a filter on a logger would miss the loggers below it, and a handler
    of somebody else's (a test runner's, say) would still see them whole.
    """
    make = logging.getLogRecordFactory()
    if not isinstance(make, _Withholding):
        logging.setLogRecordFactory(_Withholding(make))
    for name in HTTP_LIBRARIES:
        logging.getLogger(name).setLevel(logging.WARNING)


class _Withholding:
    """A factory of log records that leaves only the template of a library's message."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self._make(*args, **kwargs)
        # The standard library itself makes nameless records, to copy others into.
        if (record.name or "").partition(".")[0] in HTTP_LIBRARIES:
            # A message without arguments is a finished sentence: it may hold anything.
            record.msg = scrub(str(record.msg)) if record.args else WITHHELD
            record.args = None
            record.exc_info = record.exc_text = record.stack_info = None
        return record


def _tracebacks(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    exc = event.pop("exc_info", None)
    event.pop("stack_info", None)
    if isinstance(exc, tuple):
        exc = exc[1]
    elif exc and not isinstance(exc, BaseException):
        exc = sys.exc_info()[1]
    if isinstance(exc, BaseException):
        event["exception"] = safe_traceback(exc)
    return event


def _safe_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key in ("_record", "timestamp"):
            continue
        if isinstance(value, BaseException):
            event[key] = safe_error(value)
        elif value is not None and not isinstance(value, bool | int | float):
            event[key] = scrub(str(value))
    return event


def _correlated(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if operation := correlation.current():
        event["request_id"], event["trace_id"] = operation.request_id, operation.trace_id
    return event


# What every record passes, whoever's it is.
_SHARED: list[Processor] = [
    _correlated,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _tracebacks,
    _safe_values,
]


def setup_logging(level: str = "info", *, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Send all log records of the process to one stream (stderr), as key=value or JSON lines.

    In: the lowest level to show, the form, the stream. Replaces earlier handlers of the root logger.
    Raises ValueError for an unknown level.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError("unknown log level")
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], bool_as_flag=False
        )
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    for known in list(root.handlers):
        root.removeHandler(known)
    root.addHandler(handler)
    root.setLevel(number)
    silence_http_libraries()


class JsonLines(io.TextIOBase):
    """A stream of text whose lines become log lines in JSON, whoever writes them: machines can read each."""

    encoding, errors = "utf-8", "replace"  # as click wants to know of a stream

    def __init__(self, stream: TextIO) -> None:
        """In: where the lines go to."""
        self._stream = stream
        self._begun = ""
        self._lock = threading.Lock()

    def writable(self) -> bool:
        """It is for writing."""
        return True

    def isatty(self) -> bool:
        """Nobody looks: no colours, no progress bars."""
        return False

    def fileno(self) -> int:
        """That of the stream."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """As of any text stream. A line in JSON stays as it is."""
        with self._lock:
            *lines, self._begun = (self._begun + text).split("\n")
            for line in lines:
                if line.strip():
                    self._stream.write((line if line.startswith("{") else _said(line)) + "\n")
            if lines:
                self._stream.flush()
        return len(text)

    def close(self) -> None:
        """The line that was not ended is one too."""
        if self._begun:
            self.write("\n")
        super().close()


def _said(line: str) -> str:
    said = {"timestamp": clock.utc_now().isoformat(), "level": "info", "event": SAID, "text": scrub(line)}
    return json.dumps(said, ensure_ascii=False)


def json_stderr() -> None:
    """From now on whatever this process writes on stderr is lines of JSON, also what it says to people, and its end."""
    if isinstance(sys.stderr, JsonLines):
        return
    sys.stderr = JsonLines(sys.stderr)

    def end(kind: type[BaseException], error: BaseException, _traceback: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            get_logger(__name__).critical("unexpected error", error=safe_traceback(error))

    sys.excepthook = end


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger of ours: `log.info("what happened", key=value)`; silent below WARNING until setup_logging."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[
            structlog.stdlib.filter_by_level,
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    return logger

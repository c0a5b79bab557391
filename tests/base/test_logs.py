"""What the log lines hold, and above all what they do not."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import requests
import structlog

from gateway.base.logs import WITHHELD, get_logger, safe_error, safe_traceback, scrub, setup_logging
from gateway.legacy.errors import Unreachable

NUMBER = "111222333"
ADDRESS = f"http://127.0.0.1:1/zaken/api/v1/rollen?inpBsn={NUMBER}"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """The log of the process, in memory; logging is put back afterwards."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    setup_logging("debug", stream=stream)
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_a_line_is_key_value(lines):
    get_logger("klantbrug.test").info("page taken", source="openzaak", page=3)
    line = lines.getvalue()
    assert 'level=info event="page taken"' in line
    assert "page=3" in line
    assert "source=openzaak" in line
    assert line.startswith("timestamp=")


def test_a_line_may_be_json():
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    stream = io.StringIO()
    setup_logging("info", as_json=True, stream=stream)
    try:
        structlog.get_logger("klantbrug.test").info("page taken", page=3)
        logging.getLogger("another").warning("of %s", "someone")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
    ours, theirs = map(json.loads, stream.getvalue().splitlines())
    assert (ours["event"], ours["page"], ours["level"]) == ("page taken", 3, "info")
    assert theirs["event"] == "of someone"


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="unknown log level"):
        setup_logging("loud")


def test_http_libraries_leave_their_template_only(lines):
    logging.getLogger("urllib3.connectionpool").warning("Failed to parse headers (url=%s)", ADDRESS)
    logging.getLogger("werkzeug").error(f"GET {ADDRESS}")
    logging.getLogger("requests.sessions").critical("went to %s", ADDRESS, exc_info=ValueError(ADDRESS))
    text = lines.getvalue()
    assert "Failed to parse headers (url=%s)" in text
    assert WITHHELD in text
    assert NUMBER not in text


def test_http_libraries_do_not_log_calls_at_all(lines):
    with pytest.raises(requests.ConnectionError):
        requests.get(ADDRESS, timeout=1)
    assert lines.getvalue() == ""


def test_an_exception_is_logged_by_type_and_place_without_its_text(lines):
    def deep() -> None:
        subject = NUMBER  # a local that a fuller traceback would show
        raise RuntimeError(f"cannot find {subject}")

    try:
        try:
            deep()
        except RuntimeError as exc:
            raise ValueError(ADDRESS) from exc
    except ValueError:
        get_logger("klantbrug.test").exception("it went wrong")
        logging.getLogger("flask.app").exception("Exception on %s", "/partijen")
    text = lines.getvalue()
    assert text.count("RuntimeError at") == 2
    assert "ValueError at" in text
    assert " deep" in text
    assert NUMBER not in text
    assert "cannot find" not in text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"GET {ADDRESS}&page=2", "GET http://127.0.0.1:1/zaken/api/v1/rollen?inpBsn=*&page=*"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: Bearer *"),
        (f"person {NUMBER}", "person *"),
        ("12345678 and 123456782.", "* and *."),
        ("rol 12345678-1234-4123-8123-123456789012", "rol 12345678-1234-4123-8123-123456789012"),
        ("3485 rollen in 12.5 s", "3485 rollen in 12.5 s"),
        ("GET /rollen?zaak=*", "GET /rollen?zaak=*"),
    ],
)
def test_query_values_tokens_and_possible_bsns_are_taken_out(text, left):
    assert scrub(text) == left


def test_values_of_a_line_are_cleaned_too(lines):
    get_logger("klantbrug.test").info("asked", address=ADDRESS, error=ValueError(NUMBER), both=[NUMBER])
    assert NUMBER not in lines.getvalue()
    assert "ValueError" in lines.getvalue()


def test_an_error_of_ours_names_its_call_and_others_their_code():
    assert safe_error(Unreachable("a", "GET /rollen?zaak=*")) == (
        "gateway.legacy.errors.Unreachable GET /rollen?zaak=*"
    )
    assert safe_error(ValueError(NUMBER)) == "ValueError"
    assert safe_error(FileNotFoundError(2, NUMBER)) == "FileNotFoundError errno 2"


def test_a_circle_of_causes_comes_to_an_end():
    one, two = ValueError("x"), KeyError("y")
    one.__cause__, two.__cause__ = two, one
    assert safe_traceback(one).count("ValueError") == 1

"""Uuids as others write them, and that one module reads them."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from builders.paths import ROOT
from hypothesis import example, given
from hypothesis import strategies as st

from mappings.values.uuids import (
    USUAL,
    is_usual,
    uuid_at_end,
    uuid_bytes_in,
    uuid_bytes_in_path,
    uuid_bytes_of,
    uuid_in,
    uuid_of,
)

TEXT = "3FA85F64-5717-4562-b3fc-2c963f66afa6"
UUID_OF = UUID(TEXT)
HOST = "https://zaken.example/zaken/api/v1/zaken/"


@pytest.mark.parametrize(
    ("text", "usual", "of", "at_end", "within"),
    [
        (TEXT, True, True, True, True),
        (TEXT.replace("-", ""), False, True, False, True),
        (f"urn:uuid:{TEXT}", False, True, False, True),
        (f"{{{TEXT}}}", False, True, False, True),
        (HOST + TEXT, False, False, True, True),
        (HOST + TEXT + "/", False, False, True, True),
        (f" {TEXT} ", False, False, False, True),
        (HOST + TEXT + "?expand=rollen", False, False, False, False),
        (TEXT[:-1], False, False, False, False),
        (TEXT[:-1] + "g", False, False, False, False),
        (TEXT.replace("-", "")[:-1] + "g", False, False, False, False),
        ("x" + TEXT, False, False, False, False),
        (
            "ab " * 10 + "cd",
            False,
            False,
            False,
            False,
        ),  # as many signs, with spaces that hexadecimal reading skips
        (HOST, False, False, False, False),
        ("", False, False, False, False),
    ],
)
def test_what_is_read_as_a_uuid(text: str, usual: bool, of: bool, at_end: bool, within: bool) -> None:
    assert is_usual(text) is usual
    assert uuid_at_end(text) == (str(UUID_OF) if at_end else "")
    assert (uuid_of(text), uuid_bytes_of(text)) == ((UUID_OF, UUID_OF.bytes) if of else (None, None))
    assert (uuid_in(text), uuid_bytes_in(text)) == ((UUID_OF, UUID_OF.bytes) if within else (None, None))


IN_PATH = re.compile(rf"[0-9a-fA-F]{{32}}|{USUAL}")


@given(
    st.from_regex(IN_PATH, fullmatch=True)
    | st.text("0123456789abcdefABCDEF-_+ {}g\n\u0663", min_size=30, max_size=38)
    | st.from_regex(r"[0-9a-f]{8}.[0-9a-f]{4}.[0-9a-f]{4}.[0-9a-f]{4}.[0-9a-f]{12}", fullmatch=True)
)
@example("0x" + "a" * 30)
@example("1_" + "a" * 30)
@example("\u0663" * 32)
@example("a" * 31 + " ")
@example("-" * 4 + "a" * 32)
def test_in_a_path_a_uuid_has_four_hyphens_or_none(text: str) -> None:
    assert uuid_bytes_in_path(text) == (UUID(text).bytes if IN_PATH.fullmatch(text) else None)


@pytest.mark.parametrize("value", [None, 3, [TEXT], {"uuid": TEXT}])
def test_what_is_no_text_is_no_uuid(value: object) -> None:
    assert uuid_in(value) is None
    assert uuid_bytes_in(value) is None


def test_nothing_else_reads_uuids() -> None:
    """The sample source does: it is another machine."""
    pattern = re.compile(r"\{8\}[()?:\[-]*-?\[0-9a-f|\[0-9a-fA-F?\]*\{8\}")
    found = {
        str(path.relative_to(ROOT))
        for package in ("gateway", "jobs", "mappings")
        for path in (ROOT / package).rglob("*.py")
        if pattern.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"mappings/values/uuids.py"}

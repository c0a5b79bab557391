"""What is logged of questions about people, and that the judge of all log lines notices what it should.

The judge itself looks at every log line of the run when the run ends (`run_log` in conftest.py).
"""

from __future__ import annotations

from pathlib import Path

import pytest
from builders.asker import Asker
from builders.privacy import judge, personal_values
from builders.sample_data import sample_slice

from gateway.sample.server import DEFAULT_APPLICATION, SampleServer

pytestmark = pytest.mark.slow


def test_questions_by_bsn_are_logged_without_it(run_log: Path, install, caplog) -> None:  # type: ignore[no-untyped-def]
    """Make log lines of every sort: calls by BSN, a source that fails, and errors with tracebacks."""
    with SampleServer(sample_slice()) as server, caplog.at_level("DEBUG"):
        asker = Asker(install(bron=server, max_age=0, deadline=2))
        rol = next(
            rol
            for rol in server.dataset.objects("rol")
            if (rol["betrokkeneIdentificatie"] or {}).get("inpBsn")
        )
        bsn = rol["betrokkeneIdentificatie"]["inpBsn"]
        query = {"partijIdentificator__codeSoortObjectId": "bsn", "partijIdentificator__objectId": bsn}
        asker.get("partijen", **query)
        server.traps.down = True
        asker.get("partijen", **query)
        asker.get("partijen", onbekend=bsn)
        asker.get(f"partijen/{bsn}")
    assert bsn not in caplog.text

    assert "inpBsn" in (run_log / "pytest.log").read_text(encoding="utf-8")


NUMBERS, ADDRESSES = personal_values()


@pytest.mark.parametrize(
    "line",
    [
        f"GET /rollen?inpBsn={min(NUMBERS)}",
        f"said {min(address for address in ADDRESSES if '@' in address)}",
        f"secret {DEFAULT_APPLICATION.secret}",
        "Bearer eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
        "Authorization: Token kb_x",
    ],
    ids=["number", "address", "secret", "jwt", "token"],
)
def test_the_judge_notices(tmp_path: Path, line: str) -> None:
    (tmp_path / "some.log").write_text("nothing\n", encoding="utf-8")
    judge(tmp_path)
    (tmp_path / "other.log").write_text(line, encoding="utf-8")
    with pytest.raises(AssertionError) as raised:
        judge(tmp_path)
    assert line.split()[-1] not in str(raised.value)

"""What every test is watched for: another server that is asked while a write is open."""

from __future__ import annotations

import requests
from builders.open_transactions import asked_meanwhile

from gateway.sample.server import SampleServer
from gateway.store.base.store import Store


def test_a_question_in_a_write_is_noted_and_one_after_it_is_not(store: Store, server: SampleServer) -> None:
    with store.write(), store.write():
        requests.head(server.base_url, timeout=5)
    requests.get(server.base_url, timeout=5)
    assert asked_meanwhile == ["HEAD"]
    asked_meanwhile.clear()

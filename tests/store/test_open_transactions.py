"""What every test is watched for: another server that is asked while a transaction is open."""

from __future__ import annotations

import requests
from builders.open_transactions import asked_meanwhile

from gateway.sample.server import SampleServer
from gateway.store.base.store import Store
from jobs.common.crew import Crew, Question


def test_a_question_in_a_transaction_is_noted_and_one_after_it_is_not(
    store: Store, server: SampleServer
) -> None:
    with store.write(), store.write():
        requests.head(server.base_url, timeout=5)
    with store.read():
        requests.options(server.base_url, timeout=5)
    requests.get(server.base_url, timeout=5)
    assert asked_meanwhile == ["HEAD", "OPTIONS"]
    asked_meanwhile.clear()


def test_so_is_an_answer_that_another_thread_is_waited_for(store: Store) -> None:
    taken = list[object]()
    crew = Crew(1)
    crew.ask(Question(lambda: 1, taken.append))
    with store.read():
        assert crew.answer(5)
    crew.ask(Question(lambda: 2, taken.append))
    assert crew.answer(5)
    crew.close()
    assert asked_meanwhile == ["by another thread"]
    asked_meanwhile.clear()

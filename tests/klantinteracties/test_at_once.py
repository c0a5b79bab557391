"""Sixteen clients, over four gateways, write at once what only one may have: one gets it, no other meets a failure."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from builders.asker import API
from builders.client_bodies import BSN, PERSOON, bsn
from builders.configs import read_config
from builders.writer import Writer, without_source

from gateway.app import create_app
from gateway.installation import open_installation

pytestmark = pytest.mark.slow

CLIENTS, GATEWAYS, ROUNDS = 16, 4, 5


@pytest.fixture
def first(tmp_path: Path) -> Writer:
    return Writer(without_source(tmp_path))


def at_once(first: Writer, ask: Callable[[Any, int], tuple[str, dict[str, Any]]], number: int) -> list[Any]:
    """What each client got, that all sent at one moment. In: which path and body a client has in a round."""
    path = first.installation.config.path
    assert path is not None
    opened = [open_installation(read_config(path)) for _ in range(GATEWAYS)]
    apps = [create_app(each.config, store=each.store, hydrator=each.hydrator()) for each in opened]
    begin = threading.Barrier(CLIENTS)
    answers: list[Any] = []

    def work(mine: int) -> None:
        client = apps[mine % GATEWAYS].test_client()
        where, body = ask(mine, number)
        begin.wait(30)
        headers = {"Authorization": f"Token {first.token}"}
        answers.append(client.post(f"{API}/{where}", json=body, headers=headers))

    threads = [threading.Thread(target=work, args=(mine,)) for mine in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in opened:
        each.store.close()
    return answers


def made(first: Writer, path: str, body: dict[str, Any]) -> str:
    answer = first.send("POST", path, body)
    assert answer.status_code == 201, answer.json
    found: str = answer.json["uuid"]
    return found


def one_each(answers: list[Any]) -> None:
    assert Counter(answer.status_code for answer in answers) == {201: 1, 400: CLIENTS - 1}


def test_one_identificator(first: Writer) -> None:
    partijen = [made(first, "partijen", PERSOON) for _ in range(CLIENTS)]

    def ask(mine: int, number: int) -> tuple[str, dict[str, Any]]:
        body = {
            "identificeerdePartij": {"uuid": partijen[mine]},
            "partijIdentificator": bsn(BSN),
            "anderePartijIdentificator": "",
        }
        return "partij-identificatoren", body

    one_each(at_once(first, ask, 0))
    assert first.send("GET", "partij-identificatoren").json["count"] == 1


def test_one_nummer(first: Writer) -> None:
    for number in range(ROUNDS):
        one_each(at_once(first, lambda _, number: ("partijen", {**PERSOON, "nummer": f"77{number}"}), number))
    assert first.send("GET", "partijen").json["count"] == ROUNDS


def test_one_vertegenwoordiging(first: Writer) -> None:
    one, other = (made(first, "partijen", PERSOON) for _ in range(2))
    pair = {"vertegenwoordigendePartij": {"uuid": one}, "vertegenwoordigdePartij": {"uuid": other}}
    one_each(at_once(first, lambda *_: ("vertegenwoordigingen", pair), 0))
    assert first.send("GET", "vertegenwoordigingen").json["count"] == 1

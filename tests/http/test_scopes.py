"""Scopes: which add up, what each opens, and what tokens of before keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
from builders.commands import command
from builders.editor import KLANTCONTACT, PERSOON, Editor, ref
from builders.probe.tamper import Tamper
from builders.served_store import API, Client

from gateway.http.auth import TokenError, create_token
from gateway.http.scopes import ScopeError, as_text, opens
from gateway.klantinteracties.model.resources import PATHS, RESOURCES
from gateway.store.base.store import Store
from gateway.store.operation.tokens import listing
from gateway.store.schema.migrations import migrations

Serve = Callable[..., Client]
STATUS, BACKFILL = "/beheer/api/v1/status", "/beheer/api/v1/backfill"


def asker(serve: Serve, store: Store, scope: str) -> Client:
    client = serve()
    return Client(client.base, create_token(store, scope, scope, resources=PATHS))


def test_operate_shows_no_person_and_monitor_only_numbers(store: Store, serve: Serve) -> None:
    opened = {
        "read": (200, 403, 403, 403),
        "write": (200, 400, 403, 403),
        "operate": (403, 403, 200, 200),
        "monitor": (403, 403, 200, 403),
        "read operate": (200, 403, 200, 200),
        "write monitor": (200, 400, 200, 403),
    }
    for scope, wanted in opened.items():
        client = asker(serve, store, scope)
        found = (
            client.get("/partijen").status,
            Editor(client).send("POST", "/partijen", {}).status,
            client.get(STATUS).status,
            client.get(BACKFILL).status,
        )
        assert (scope, found) == (scope, wanted)


def test_a_scope_of_one_resource_opens_no_other(store: Store, serve: Serve) -> None:
    everything = Editor(asker(serve, store, "write"))
    partij = everything.make("partijen", PERSOON)
    contact = everything.make("klantcontacten", KLANTCONTACT)
    some = asker(serve, store, "read:klantcontacten write:internetaken")
    for resource in RESOURCES:
        wanted = 200 if resource.path in ("klantcontacten", "internetaken") else 403
        assert some.get(f"/{resource.path}").status == wanted, resource.path
        assert some.get(f"/{resource.path}/{uuid4()}").status == (404 if wanted == 200 else 403)
    assert some.get(f"{API}/").status == 200
    assert some.get(f"/partijen/{partij['uuid']}").status == 403
    got = Editor(some).send("PATCH", f"/klantcontacten/{contact['uuid']}", {})
    assert got.status == 403
    assert "scope write:klantcontacten nodig" in got.json["detail"]
    assert Editor(some).send("POST", "/internetaken", {}).status == 400
    assert Editor(some).send("POST", "/maak-klantcontact", {}).status == 403


def test_what_a_token_may_not_read_is_not_expanded_either(store: Store, serve: Serve) -> None:
    client = asker(serve, store, "read:klantcontacten,read:betrokkenen")
    assert client.get("/klantcontacten?expand=hadBetrokkenen").status == 200
    nested = client.get("/klantcontacten?expand=hadBetrokkenen,hadBetrokkenen.wasPartij")
    assert nested.status == 403
    assert "read:partijen" in nested.json["detail"]
    contact = Editor(asker(serve, store, "write")).make("klantcontacten", KLANTCONTACT)
    assert client.get(f"/klantcontacten/{contact['uuid']}?expand=gingOverOnderwerpobjecten").status == 403


def test_deleting_along_asks_the_scopes_of_what_goes_along(store: Store, serve: Serve) -> None:
    everything = Editor(asker(serve, store, "write"))
    contact = everything.make("klantcontacten", KLANTCONTACT)
    codes = {"objectId": "1", "codeObjecttype": "zaak", "codeRegister": "r", "codeSoortObjectId": "uuid"}
    subject = everything.make(
        "onderwerpobjecten",
        {"klantcontact": ref(contact), "wasKlantcontact": None, "onderwerpobjectidentificator": codes},
    )
    some = Editor(asker(serve, store, "write:onderwerpobjecten"))
    assert some.send("DELETE", f"/onderwerpobjecten/{subject['uuid']}?cascade=true").status == 403
    assert not everything.gone("klantcontacten", contact)


def test_scopes_are_kept_once_and_in_one_order() -> None:
    assert as_text("operate, read  read", PATHS) == "read operate"
    assert as_text("write:partijen read:partijen read", PATHS) == "read read:partijen write:partijen"
    assert opens("write:partijen", "read", "partijen")
    assert not opens("write:partijen", "read")
    for wrong in ("", " , ", "alles", "read:geen", "read:", "operate:partijen", "read:*"):
        with pytest.raises(ScopeError):
            as_text(wrong, PATHS)


def test_the_command_makes_a_token_of_several_scopes(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text("[gateway]\nregister = true\n")

    def run(*words: str) -> tuple[int, str]:
        done = command(config, "token", *words)
        return done.exit_code, done.output

    assert run("create", "x", "--scope", "alles")[0] == 2
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]  # a mistake makes no store
    assert run("create", "kcc", "--scope", "read", "--scope", "operate")[0] == 0
    assert run("create", "form", "--scope", "write:maak-klantcontact,read:klantcontacten")[0] == 0
    code, said = run("create", "x", "--scope", "read:partij")
    assert code == 2
    assert "die resource is er niet" in said
    assert "partijen" in said
    listed = run("list")[1]
    assert "kcc: read operate, " in listed
    assert "form: read:klantcontacten write:maak-klantcontact, " in listed


@pytest.mark.of_the_file
def test_tokens_of_before_keep_what_they_had(store: Store, serve: Serve) -> None:
    secrets = {name: create_token(store, name, name) for name in ("read", "write", "operate")}
    with store.write():
        Tamper(store).unapply("%_scopes_combine")
        migrations.apply(store.operator())
    assert {row.name: row.scope for row in listing(store)} == {
        "operate": "read write operate",
        "read": "read",
        "write": "write",
    }
    client = Client(serve().base, secrets["operate"])
    assert client.get("/partijen").status == 200
    assert Editor(client).send("POST", "/partijen", PERSOON).status == 201
    assert client.get(BACKFILL).status == 200


def test_a_token_without_a_known_scope_is_not_made(store: Store) -> None:
    for scope in ("alles", "", "read:partijen"):  # no resources were named here
        with pytest.raises(TokenError):
            create_token(store, "x", scope)
    assert listing(store) == []


@pytest.mark.slow
def test_every_method_on_every_resource_asks_its_scope(store: Store, serve: Serve) -> None:
    base = serve().base
    secrets = {scope: create_token(store, scope, scope) for scope in ("read", "write", "operate", "monitor")}
    paths = [f"/{path}" for path in sorted(PATHS)]
    paths += [f"/{resource.path}/{uuid4()}" for resource in RESOURCES]
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"):
            for scope, secret in secrets.items():
                status = Editor(Client(base, secret)).send(method, path, {}).status
                safe = method in ("GET", "HEAD", "OPTIONS")
                allowed = scope == "write" or (scope == "read" and (safe or status == 405))
                assert (status == 403) != allowed, (method, path, scope, status)
            assert Client(base, "").send(method, path, {}, b"{}").status == 401

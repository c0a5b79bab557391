"""How a statement of the code is put for PostgreSQL: what differs, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.store.indexes import text_search
from gateway.store.postgres.wire.statements import put, put_insert, put_rows

PLACE = "json_text(d.body, '{contactnaam,achternaam}')"


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("UPDATE a SET b = ?, c = ? WHERE d = ?", "UPDATE a SET b = $1, c = $2 WHERE d = $3"),
        ("SELECT ?2, ?1, ?, '?', ':x' -- ?", "SELECT $2, $1, $3, '?', ':x' -- ?"),
        ("SELECT 'it''s ?' || ?1", "SELECT 'it''s ?' || $1"),
        ("x IN (SELECT value FROM json_each(?))", "x = ANY ($1)"),
        ("x NOT IN (SELECT value FROM json_each(?4))", "x <> ALL ($4)"),
        ("FROM json_each(?1) n JOIN a ON a.b = n.value", "FROM unnest($1) AS n (value) JOIN a ON a.b = n.value"),
        ("FROM json_each(CAST(? AS text)) n", "FROM unnest(CAST($1 AS text[])) AS n (value)"),
        ("CROSS JOIN json_each(CAST(? AS text)) n ON 1", "JOIN unnest(CAST($1 AS text[])) AS n (value) ON 1"),
        ("f = ?2 ->> 0 OR f = ?2 ->> 1", "f = ($2)[1] OR f = ($2)[2]"),
        ("d.body ->> '$.contactnaam.achternaam' = ?1", f"{PLACE} = $1"),
        ("body ->> '$.isStandaardAdres' = 1 AND x = 1", "json_text(body, '{isStandaardAdres}') = 'true' AND x = 1"),
        ("body ->> '$.vertrouwelijk' = 0", "json_text(body, '{vertrouwelijk}') = 'false'"),
        ("body ->> '$.a.b' IS NOT NULL", "(strpos(body, '\"b\"') > 0 AND json_text(body, '{a,b}') IS NOT NULL)"),
        ("FROM raw INDEXED BY raw_state WHERE +source = ?", "FROM raw WHERE +source = $1"),
        ("a.x + 1 FROM a", "a.x + 1 FROM a"),
        ("FROM a CROSS JOIN b ON b.x = a.x CROSS JOIN c", "FROM a JOIN b ON b.x = a.x CROSS JOIN c"),
        ("FROM a CROSS JOIN raw r ON r.x = a.x", "FROM a JOIN raw r ON r.x = a.x"),
        ("CAST(m.mask AS INTEGER) & 4", "CAST(m.mask AS bigint) & 4"),
    ],
)  # fmt: skip
def test_each_form(said: str, sent: str) -> None:
    assert put(said).text == sent


def test_values_by_name_come_in_the_order_of_the_text() -> None:
    statement = put("SELECT :b, :a, :b")
    assert statement.text == "SELECT $1, $2, $1"
    assert statement.values({"a": 1, "b": 2}) == [2, 1]


@pytest.mark.parametrize(("given", "passed"), [((1, []), (1, [])), ((1, [2]), (1, [2]))])
def test_values_in_order_are_passed_as_they_are(given: Any, passed: Any) -> None:
    assert put("SELECT ?, ?").values(given) == passed


def test_values_for_one_test_go_as_one_list() -> None:
    """So it is one statement for any number of them; a single one has a plan of its own."""
    statement = put(
        "SELECT 1 FROM a WHERE b = ? AND c IN (?,?,?) AND d NOT IN (?,?) AND e IN (?) AND f = '?' AND g < ?"
    )
    assert statement.text == (
        "SELECT 1 FROM a WHERE b = $1 AND c = ANY ($2) AND d <> ALL ($3) AND e IN ($4) AND f = '?' AND g < $5"
    )
    assert statement.values((1, b"x", b"y", b"y", "v", "w", 2, 3)) == [
        1,
        [b"x", b"y", b"y"],
        ["v", "w"],
        2,
        3,
    ]


def test_numbered_values_stay_as_they_are() -> None:
    assert (
        put("SELECT 1 FROM a WHERE b = ?1 AND c IN (?,?)").text
        == "SELECT 1 FROM a WHERE b = $1 AND c IN ($2,$3)"
    )


def test_an_insert_tells_the_id_of_its_row() -> None:
    assert put_insert("INSERT INTO a (b) VALUES (?)").text == "INSERT INTO a (b) VALUES ($1) RETURNING id"


def test_a_search_in_texts_is_one_for_a_pattern() -> None:
    sent = put(text_search.search("klantcontact", "inhoud", 2)).text
    assert sent == (
        "SELECT w.id FROM document w WHERE w.kind = 8"
        " AND folded(json_text(w.body, '{inhoud}')) LIKE part_pattern($2)"
    )


@pytest.mark.parametrize(
    ("said", "sent"),
    [
        ("INSERT INTO a (b, c) VALUES (?, ?)", "INSERT INTO a (b, c) SELECT * FROM unnest({})"),
        (
            "INSERT INTO a (b, c) VALUES (?, ?) ON CONFLICT DO NOTHING",
            "INSERT INTO a (b, c) SELECT * FROM unnest({}) ON CONFLICT DO NOTHING",
        ),
        (
            "INSERT INTO a (b, c) VALUES (?, ?) ON CONFLICT (b) DO UPDATE SET c = excluded.c",
            "INSERT INTO a (b, c) SELECT * FROM unnest({}) ON CONFLICT (b) DO UPDATE SET c = excluded.c",
        ),
        (
            "UPDATE a SET b = ?, c = ? WHERE id = ?",
            "UPDATE a SET b = v.b, c = v.c FROM unnest({}) AS v (b, c, id) WHERE a.id = v.id",
        ),
        (
            "UPDATE a SET b = ? WHERE id = ? AND c = ?",
            "UPDATE a SET b = v.b FROM unnest({}) AS v (b, id, c) WHERE a.id = v.id AND a.c = v.c",
        ),
        (
            "DELETE FROM a WHERE b = ? AND c = ?",
            "DELETE FROM a USING unnest({}) AS v (b, c) WHERE a.b = v.b AND a.c = v.c",
        ),
    ],
)
def test_many_rows_go_in_one_statement(said: str, sent: str) -> None:
    statement = put_rows(said)
    assert statement is not None
    assert statement.text == sent
    assert statement.typed(("bigint", "text")).count("$2::text[]") == 1


@pytest.mark.parametrize(
    "said",
    [
        "INSERT INTO a (b, c) VALUES (?, 1)",
        "INSERT INTO a VALUES (?, ?)",
        "INSERT INTO a (b, c) VALUES (?1, ?2) ON CONFLICT (b) DO UPDATE SET c = ?2",
        "UPDATE a SET b = b + ? WHERE id = ?",
        "UPDATE a SET b = ? WHERE id = ? AND c = 1",
        "UPDATE a SET id = ? WHERE id = ?",
        "DELETE FROM a WHERE b = ? OR c = ?",
    ],
)
def test_other_statements_go_one_by_one(said: str) -> None:
    assert put_rows(said) is None


def test_rows_that_would_meet_in_one_statement_do_not_go_in_it() -> None:
    changes = put_rows("UPDATE a SET b = ? WHERE id = ?")
    comes = put_rows("INSERT INTO a (b, c) VALUES (?, ?) ON CONFLICT (b) DO UPDATE SET c = excluded.c")
    stays = put_rows("INSERT INTO a (b, c) VALUES (?, ?) ON CONFLICT (b) DO NOTHING")
    assert changes and comes and stays
    assert not changes.may_take([(1, 7), (2, 7)])
    assert changes.may_take([(1, 7), (1, 8)])
    assert not comes.may_take([(1, 7), (1, 8)])
    assert comes.may_take([(1, 7), (2, 7)])
    assert stays.may_take([(1, 7), (1, 8)])

"""Where the tests find a PostgreSQL: KLANTBRUG_TEST_DATABASE, or the database `test` on this machine.

Prints its url, or nothing. It says on the other channel what it found.
"""

from __future__ import annotations

import getpass
import os
import sys

import psycopg

NAME = "KLANTBRUG_TEST_DATABASE"
LEAST_VERSION = 140000


def answer(url: str) -> str:
    """Why the tests can't run there; empty when they can."""
    try:
        with psycopg.connect(url, connect_timeout=3) as connection:
            row = connection.execute(
                "SELECT current_setting('server_encoding'),"
                " has_database_privilege(current_database(), 'CREATE')"
            ).fetchone()
            version = connection.info.server_version
    except psycopg.Error as error:
        return f"it doesn't answer ({type(error).__name__})"
    assert row is not None
    if version < LEAST_VERSION:
        return f"it is version {version // 10000}, and {LEAST_VERSION // 10000} is the least"
    if row[0] != "UTF8":
        return f"its encoding is {row[0]}"
    return "" if row[1] else "the role may make no schemas"


def main() -> int:
    """Print the url; out: 1 when one was named that can't be used."""
    named = os.environ.get(NAME, "")
    url = named or f"postgresql://{getpass.getuser()}@127.0.0.1:5432/test"
    wrong = answer(url)
    if wrong and named:
        print(f"PostgreSQL of {NAME}: {wrong}", file=sys.stderr)
        return 1
    if wrong:
        print(
            f"No PostgreSQL for tests on this machine: {wrong}. {NAME} can say where one is.", file=sys.stderr
        )
        return 0
    print(url)
    return 0


if __name__ == "__main__":
    sys.exit(main())

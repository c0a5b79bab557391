"""How much each machine may ask of a source, so that all together ask no more than it bears.

A machine has a number of the connections and a part of the rates, for a while; it renews them while it asks, and lowers
them when others want some. Nobody gets what another still has. Not under the writer's lock, but under that of the row
of the server: this goes on while a batch is written.
"""

from __future__ import annotations

from typing import Any

from gateway.base.pace_share import AskedShare, PaceShare, Wishes
from gateway.store.base.session import Session

SECOND = 1_000_000
# Where there are more machines than connections they have them in turns of so long.
TURN_SECONDS = 2
# What is kept free for one that begins to ask, against the weights of the others.
NEWCOMER = 1


def settle(session: Session, server: str, member: str, asked: AskedShare) -> PaceShare:
    """Renew what a machine may ask of a server. Inside `Store.apart()`."""
    session.run("INSERT INTO pace (server) VALUES (?) ON CONFLICT (server) DO NOTHING", (server,))
    # Whoever comes after us waits here for our end.
    row = session.one(
        "UPDATE pace SET turn = turn + 1 WHERE server = ? RETURNING this_moment(), rest_until, live_rest_until,"
        " open_until, failed_trials, paused, connections, requests, objects",
        (server,),
    )
    moment, known = row[0], _merged(row, asked)
    session.run(
        "UPDATE pace SET rest_until = ?, live_rest_until = ?, open_until = ?, failed_trials = ?, paused = ?,"
        " connections = ?, requests = ?, objects = ? WHERE server = ?",
        (*known, server),
    )
    session.run("DELETE FROM pace_share WHERE server = ? AND until <= ?", (server, moment))
    places, fraction = _share(session, server, member, asked, moment, connections=known[5])
    rest, live_rest, open_until, failed, *wishes = known
    return PaceShare(
        places,
        fraction,
        max(0, rest - moment) / SECOND,
        max(0, live_rest - moment) / SECOND,
        max(1, open_until - moment) / SECOND if open_until else 0.0,
        failed,
        Wishes(bool(wishes[0]), *wishes[1:]),
    )


def _merged(row: tuple[Any, ...], asked: AskedShare) -> tuple[Any, ...]:
    """What all know, with what this machine found out since."""
    moment, rest, live_rest, open_until, failed, *wishes = row
    if asked.rest:
        rest = max(rest, moment + int(asked.rest * SECOND))
    if asked.live_rest:
        live_rest = max(live_rest, moment + int(asked.live_rest * SECOND))
    if asked.breaker is not None:
        open_until = moment + int(asked.breaker * SECOND) if asked.breaker else 0
        failed = asked.failed_trials
    if asked.wishes is not None:
        wishes = [int(asked.wishes.paused), *map(float, asked.wishes[1:])]
    return rest, live_rest, open_until, failed, *wishes


def _share(
    session: Session, server: str, member: str, asked: AskedShare, moment: int, *, connections: float
) -> tuple[int, float]:
    most = min(asked.most, int(connections)) if connections >= 1 else asked.most
    rows = session.all(
        "SELECT member, wants, places, weight, fraction FROM pace_share WHERE server = ? AND member <> ?",
        (server, member),
    )
    if not asked.wants and not asked.held:
        session.run("DELETE FROM pace_share WHERE server = ? AND member = ?", (server, member))
        return 0, 0.0
    wants = {row[0]: row[1] for row in rows if row[1]} | ({member: asked.wants} if asked.wants else {})
    free = most - sum(row[2] for row in rows)
    if most > 1 and not asked.live:
        free -= 1  # a client that comes on any machine finds a place
    ideal = fair(most, wants, moment // (TURN_SECONDS * SECOND)).get(member, 0)
    places = max(0, min(ideal, free))
    weights = sum(row[3] for row in rows if row[1]) + asked.weight + NEWCOMER
    fraction = max(0.0, min(asked.weight / weights, 1 - sum(row[4] for row in rows)))
    session.run(
        "INSERT INTO pace_share (server, member, wants, places, weight, fraction, until)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (server, member) DO UPDATE SET wants = excluded.wants,"
        " places = excluded.places, weight = excluded.weight, fraction = excluded.fraction, until = excluded.until",
        (
            server,
            member,
            asked.wants,
            # What it may still be using counts until it says that it has given that up.
            max(places, asked.held),
            asked.weight,
            max(fraction, asked.fraction),
            moment + int(asked.lasts * SECOND),
        ),
    )
    return places, fraction


def fair(total: int, wants: dict[str, int], turn: int) -> dict[str, int]:
    """Divide a number of places: nobody gets more than it wants, nor more than another that wants more.

    With more that want one than there are, they take turns.
    """
    names = sorted(wants)
    given = dict.fromkeys(names, 0)
    start = turn % len(names) if names else 0
    order = names[start:] + names[:start]
    left = total
    while left > 0:
        wanting = [name for name in order if given[name] < wants[name]][:left]
        if not wanting:
            break
        for name in wanting:
            given[name] += 1
        left -= len(wanting)
    return given

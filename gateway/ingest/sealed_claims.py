"""Seals what is said of a partij or actor that a client deleted, and opens it when it is merged again (M19).

The legacy objects stay as they came, for as long as the source has them; what was made of them to be searched by goes.
To be merged it is read from those objects again, so nothing depends on whether it was sealed before.
"""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from gateway.ingest.incoming import body_of
from gateway.store.base.compression import Damaged, unpack
from gateway.store.base.session import Session
from gateway.store.legacy import sealed_claims as rows
from gateway.store.legacy.claims import IDENTITY_BYTES, STATEMENT_BYTES, said_by
from mappings.identity.identity import Uuids
from mappings.identity.sealed import sealed_body, sealed_text
from mappings.model.findings import Untranslatable
from mappings.model.settings import Settings
from mappings.translate import translate


class Sealing:
    """Seals and opens in one transaction."""

    def __init__(self, connection: Session, uuids: Uuids, settings: Settings) -> None:
        self.connection = connection
        self.uuids = uuids
        self.settings = settings

    def seal(self, identities: Iterable[int] = ()) -> int:
        """Seal what is said of whom a client deleted. Out: how many statements.

        In: other keys (rows) that may be of nobody else any more.
        """
        if not rows.anybody_deleted(self.connection):
            return 0
        found = rows.to_seal(self.connection)
        rows.seal(self.connection, [self._sealed(each) for each in found])
        touched = {*identities, *rows.identities_of(self.connection, [each.row for each in found])}
        alone = rows.only_in_sealed(self.connection, touched)
        rows.spell(self.connection, [(row, sealed_text(self.uuids, key)) for row, key in alone])
        return len(found)

    def open_keys(self, keys: Iterable[str]) -> None:
        """Open what is said of whom these keys name, before more is said of them."""
        if not rows.anybody_deleted(self.connection):
            return
        spelled = {sealed_text(self.uuids, key): key for key in keys}
        held = rows.held_among(self.connection, spelled)
        rows.respell(self.connection, [(text, spelled[text]) for text in held])
        self.open(rows.sealed_with(self.connection, list(spelled.values())))

    def open(self, statements: Iterable[int]) -> set[int]:
        """Open the sealed ones of these statements (rows). Out: those that can't be read any more: they stay sealed."""
        if not rows.anybody_deleted(self.connection):
            return set()
        found = rows.sealed_among(self.connection, statements)
        return {row for row in found if not self._open(row)}

    def any_sealed(self, statements: Iterable[int]) -> bool:
        """Is one of these statements (rows) sealed?"""
        return rows.anybody_deleted(self.connection) and bool(rows.sealed_among(self.connection, statements))

    def _sealed(self, each: rows.Statement) -> rows.Statement:
        said = self.uuids.derive_bytes("gezegd", each.digest[IDENTITY_BYTES:].hex())[:STATEMENT_BYTES]
        body = orjson.dumps(sealed_body(self.uuids, orjson.loads(each.body)), option=orjson.OPT_SORT_KEYS)
        return rows.Statement(each.row, each.digest[:IDENTITY_BYTES] + said, body.decode())

    def _open(self, statement: int) -> bool:
        """Open a statement; False when what made it can't be read as it was."""
        made_by = rows.origin(self.connection, statement)
        if made_by is None or made_by.body is None:
            return False
        try:
            raw = orjson.loads(unpack(made_by.body))
            translated = translate(made_by.kind, raw, made_by.source, self.settings)
        except (Damaged, orjson.JSONDecodeError, Untranslatable):
            return False
        for claim in translated.claims:
            if claim.facet == made_by.facet:
                rows.respell(
                    self.connection, [(sealed_text(self.uuids, key), key) for key in set(claim.keys)]
                )
                body = body_of(claim)
                said = said_by(claim.facet, body)
                return rows.open_again(self.connection, statement, claim.keys[0], said, body)
        return False

"""What a token must open for what is shown inside a document."""

from __future__ import annotations

from gateway.http.auth import must_open
from gateway.http.scopes import READ, opens
from gateway.klantinteracties.model.expand import Tree
from gateway.klantinteracties.model.resources import BY_KIND
from gateway.store.operation.tokens import StoredToken


def may_expand(token: StoredToken, kind: str, expand: Tree) -> None:
    """Raises a 403 Problem when a token doesn't open a resource that would be shown inside another one."""
    if not expand or opens(token.scope, READ):
        return
    for name, inner in expand:
        (to,) = (getattr(field, "to", "") for field in BY_KIND[kind].fields if field.name == name)
        must_open(token, READ, BY_KIND[to].path)
        may_expand(token, to, inner)

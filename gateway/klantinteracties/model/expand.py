"""The `expand` parameter: from what a client writes to a tree of relations."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from gateway.http import problems
from gateway.klantinteracties.model.declarations import Expansions
from gateway.klantinteracties.model.resources import BY_KIND

# Relations to expand, each with those to expand inside it, in the order of the resource's fields.
Tree = tuple[tuple[str, "Tree"], ...]


def names(expansions: Expansions, prefix: str = "") -> Iterator[str]:
    """Every value that `expand` may have, nested ones with dots."""
    for name, inner in expansions.items():
        yield prefix + name
        yield from names(inner, f"{prefix}{name}.")


@lru_cache(maxsize=1024)
def tree(kind: str, value: str) -> Tree:
    """What to expand on documents of `kind`.

    In: a comma list. Out: the tree; a nested name whose parent isn't in the list expands nothing. Raises a
    400 Problem for the first name that this resource doesn't have.
    """
    resource = BY_KIND[kind]
    asked = [name for name in (part.strip() for part in value.split(",")) if name]
    allowed = set(names(resource.expansions))
    for name in asked:
        if name not in allowed:
            reason = f"Selecteer een geldige keuze. {name} is geen beschikbare keuze."
            raise problems.invalid(problems.InvalidParam("expand", "invalid_choice", reason))
    return _branch(kind, resource.expansions, frozenset(asked), "")


def _branch(kind: str, expansions: Expansions, asked: frozenset[str], prefix: str) -> Tree:
    fields = [field for field in BY_KIND[kind].fields if field.name in expansions]
    return tuple(
        (field.name, _branch(field.to, expansions[field.name], asked, f"{prefix}{field.name}."))
        for field in fields
        if f"{prefix}{field.name}" in asked and hasattr(field, "to")
    )

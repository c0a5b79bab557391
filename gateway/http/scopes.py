"""What a token may do: scopes, alone or together, each perhaps for some resources only.

`read` and `write` are about persons: the resources of the Klantinteracties API. `operate` steers the service and
`monitor` looks at its numbers; neither shows a person. A scope with a resource, as `read:klantcontacten`, opens no
other resource.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

READ, WRITE, OPERATE, MONITOR = "read", "write", "operate", "monitor"
# Each scope with those that it implies. Whoever writes is answered with the whole document, so it reads too.
IMPLIES: dict[str, tuple[str, ...]] = {
    READ: (READ,),
    WRITE: (READ, WRITE),
    OPERATE: (OPERATE, MONITOR),
    MONITOR: (MONITOR,),
}
PERSONAL = (READ, WRITE)
ANY = "*"  # whichever resource it is


class ScopeError(ValueError):
    """These are no scopes; the text says why, for an operator."""


def as_text(asked: str, resources: Collection[str]) -> str:
    """Scopes as the store keeps them.

    In: scopes with commas or spaces between them; the resources that there are. Out: each once, in one order, with
    spaces between them. Raises ScopeError.
    """
    words = asked.replace(",", " ").split()
    if not words:
        raise ScopeError(f"een token heeft een scope nodig: {', '.join(IMPLIES)}")
    for word in words:
        scope, colon, resource = word.partition(":")
        if scope not in IMPLIES:
            raise ScopeError(f"scope {word!r} is onbekend; kies uit {', '.join(IMPLIES)}")
        if colon and scope not in PERSONAL:
            raise ScopeError(f"scope {word!r}: alleen read en write kunnen voor één resource zijn")
        if colon and resource not in resources:
            raise ScopeError(f"scope {word!r}: die resource is er niet; er is {', '.join(sorted(resources))}")
    order = list(IMPLIES)
    return " ".join(sorted(set(words), key=lambda word: (order.index(word.partition(":")[0]), word)))


@lru_cache(maxsize=1024)
def granted(text: str) -> frozenset[str]:
    """All that scopes as the store keeps them open, with what each of them implies."""
    found = set()
    for word in text.split():
        scope, colon, resource = word.partition(":")
        for implied in IMPLIES.get(scope, ()):
            found.update({f"{implied}:{resource}", f"{implied}:{ANY}"} if colon else {implied})
    return frozenset(found)


def opens(text: str, scope: str, resource: str = "") -> bool:
    """Do scopes as the store keeps them open `scope`? With `resource` on that one (or ANY), else on all of them."""
    held = granted(text)
    return scope in held or (resource != "" and f"{scope}:{resource}" in held)

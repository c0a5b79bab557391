"""ETags: by which a client sees whether a document is still as it read it, so that two editors don't overwrite each
other (RFC 9110, section 13).

A tag is made of the bytes of the answer. So it is the same in every worker process, and another one as soon as anything
in the answer is, also a reference to a document that came or went. The hash is a quick one, for every read pays for it:
it tells versions apart, and guards nothing.
"""

from __future__ import annotations

from typing import Any

from werkzeug.http import parse_etags
from xxhash import xxh3_128_hexdigest

from gateway.http import problems

IF_MATCH, IF_NONE_MATCH = "HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"

Environ = dict[str, Any]


def tag_of(body: bytes) -> str:
    """The strong ETag of an answer, in its quotes."""
    return f'"{xxh3_128_hexdigest(body)}"'


def conditional(environ: Environ) -> bool:
    """Does a request hang on how the document is now?"""
    return IF_MATCH in environ or IF_NONE_MATCH in environ


def unchanged(environ: Environ, tag: str) -> bool:
    """Has whoever reads this document already? Raises a 412 Problem when it asks for another version of it."""
    _must_match(environ, tag)
    return _named(environ, tag)


def must_hold(environ: Environ, tag: str) -> None:
    """Raise a 412 Problem when a write asks for another version of a document than the one that is there."""
    _must_match(environ, tag)
    if _named(environ, tag):
        raise problems.precondition_failed()


def _must_match(environ: Environ, tag: str) -> None:
    wanted = environ.get(IF_MATCH)
    # A weak tag says that much is the same, which is not enough for who is about to replace it.
    if wanted is not None and not parse_etags(wanted).contains(tag.strip('"')):
        raise problems.precondition_failed()


def _named(environ: Environ, tag: str) -> bool:
    known = environ.get(IF_NONE_MATCH)
    return known is not None and parse_etags(known).contains_weak(tag.strip('"'))

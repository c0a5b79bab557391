"""How often a wrong token was shown lately: by whom, and by all together, over all processes of a server.

Nobody waits for it: who guesses too often gets 429, with a right token there is nothing to count.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import secrets
import struct
import tempfile
import threading
import time
from collections.abc import Iterator
from hashlib import blake2b
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil
from typing import IO

from gateway.base.logs import get_logger

log = get_logger(__name__)

SECONDS = 60.0
# So many wrong tokens in that time are answered with 401 for one address, and for all together; then it is 429.
FREE_OF_ADDRESS = 5
FREE_OF_ALL = 100
# Addresses that are counted at a time. An address may stand in one of a few places; the one that was not seen longest
# gives way. Who has so many addresses is stopped by the count of all.
PLACES = 4096
TRIED = 8
OF_SITE = 64  # bits of an IPv6 address: who has one address there has them all

# The digest of an address, since when it is counted, and how many.
_PLACE = struct.Struct("=QdI4x")
# Before them stands the count of all: since when, when it was last logged, how many.
_ALL = struct.Struct("=ddQ")


class WrongTokens:
    """The counts. Made before worker processes are, they share it."""

    def __init__(self, free_of_address: int = FREE_OF_ADDRESS, free_of_all: int = FREE_OF_ALL) -> None:
        """In: how many are free in SECONDS."""
        self._free_of_address, self._free_of_all = free_of_address, free_of_all
        self._file = _nameless_file(_ALL.size + PLACES * _PLACE.size)
        self._map = mmap.mmap(self._file.fileno(), 0)
        self._key = secrets.token_bytes(16)  # addresses are personal: what is kept does not show them
        self._lock, self._pid = threading.Lock(), os.getpid()

    def note(self, address: str) -> int:
        """Count a wrong token. Out: 0, or after how many seconds this address may show another one."""
        with self._locked():
            moment = time.monotonic()  # that of the machine, the same in each process
            wait = max(self._count_of(address, moment), self._count_all(moment))
        return ceil(wait)

    def _count_of(self, address: str, moment: float) -> float:
        known = self._digest(address)
        places = [_ALL.size + (known + step) % PLACES * _PLACE.size for step in range(TRIED)]
        found = [(*_PLACE.unpack_from(self._map, place), place) for place in places]
        mine = next((each for each in found if each[0] == known), None)
        _, since, count, place = mine or min(found, key=lambda each: each[1])
        if mine is None or moment - since >= SECONDS:
            since, count = moment, 0
        _PLACE.pack_into(self._map, place, known, since, min(count + 1, 2**31))
        return since + SECONDS - moment if count >= self._free_of_address else 0

    def _count_all(self, moment: float) -> float:
        since, logged, count = _ALL.unpack_from(self._map, 0)
        if not count or moment - since >= SECONDS:
            since, count = moment, 0
        count += 1
        if count > self._free_of_all and moment - logged >= SECONDS:
            logged = moment
            log.warning("many wrong tokens", count=count, seconds=SECONDS)
        _ALL.pack_into(self._map, 0, since, logged, count)
        return since + SECONDS - moment if count > self._free_of_all else 0

    def _digest(self, address: str) -> int:
        text = site_of(address).encode("utf-8", "replace")
        # Never 0, which is a place that nobody has.
        return int.from_bytes(blake2b(text, digest_size=8, key=self._key).digest(), "little") | 1

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        if self._pid != os.getpid():
            # After a fork a thread of the parent may hold the lock, which nobody gives back here.
            self._lock, self._pid = threading.Lock(), os.getpid()
        with self._lock:
            # The kernel takes this lock back from a process that is killed.
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)


def _nameless_file(size: int) -> IO[bytes]:
    """A file in memory where there are such files, else one on disk that nobody can find."""
    if hasattr(os, "memfd_create"):
        file: IO[bytes] = os.fdopen(os.memfd_create("guesses"), "r+b")
    else:
        file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as we do
    # All of it now: a disk that is full later would end the process that touches it.
    os.posix_fallocate(file.fileno(), 0, size) if hasattr(os, "posix_fallocate") else file.truncate(size)
    return file


def site_of(address: str) -> str:
    """What is counted as one: an IPv4 address, or the network of an IPv6 address that one customer has."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, OF_SITE), strict=False))

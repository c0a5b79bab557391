"""Gives the memory of large answers back to the machine.

What Python frees stays with the C library, scattered over the heaps of the threads that used it: a process that once
read an answer of tens of megabytes would hold ten times as much for as long as it lives.
"""

from __future__ import annotations

import ctypes
import gc
import threading

# An answer from this size on is worth it: giving back takes milliseconds.
LARGE = 4 * 1024 * 1024


class _Owed:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.is_owed = False


_owed = _Owed()


def note_answer(size: int) -> None:
    """An answer of so many bytes is about to be worked on."""
    if size >= LARGE:
        _owed.is_owed = True


def give_back() -> bool:
    """Give back what is free, when a large answer was taken since the last time. Out: was anything given back?

    To be called where nobody holds the answer any more. Only glibc can do it; elsewhere it does nothing.
    """
    if not _owed.is_owed:
        return False
    with _owed.lock:
        if not _owed.is_owed:
            return False
        _owed.is_owed = False
        gc.collect()  # workers look for cycles seldom, and one may hold a whole answer
        return _trim()


def _trim() -> bool:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return trim is not None and bool(trim(ctypes.c_size_t(0)))

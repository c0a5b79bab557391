"""A crew: threads that ask a source while one writer takes the answers, in the order in which they come.

It knows nothing of what is asked, nor when: its calls are background calls, that wait at the gate of the source. Few
questions are out at a time, so memory stays flat whatever the size of the source.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gateway.legacy.background import background

# What keeps it from going faster, when the gate lets it.
SOURCE, OURSELVES, NOTHING = "de bron", "het verwerken", ""


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask in a thread (`ask`), and what the writer does with the answer (`take`)."""

    ask: Callable[[], Any]
    take: Callable[[Any], None]


class Crew:
    """Threads that ask. One thread, the writer, calls the methods; `connections` is how many may ask at a time."""

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self._change = threading.Condition()
        self._questions: deque[Question] = deque()
        self._answers: deque[tuple[Question, Any, Exception | None]] = deque()
        self._flying = 0
        self._threads: list[threading.Thread] = []
        self._closed = threading.Event()

    @property
    def outstanding(self) -> int:
        """Questions whose answer was not taken yet."""
        with self._change:
            return len(self._questions) + self._flying + len(self._answers)

    @property
    def room(self) -> bool:
        """May another question come? Twice as many as there are connections are enough to keep them busy."""
        return self.outstanding < 2 * self.connections

    def ask(self, question: Question) -> None:
        """Hand in a question."""
        with self._change:
            self._questions.append(question)
            if len(self._threads) < self.connections:
                # They may be in a call for a minute; a stop must not wait for that.
                thread = threading.Thread(target=self._work, name="crew", daemon=True)
                self._threads.append(thread)
                thread.start()
            self._change.notify_all()

    def answer(self, seconds: float) -> tuple[Question, Any] | None:
        """The next answer; None when none came within `seconds`. Raises what asking raised."""
        with self._change:
            if not self._change.wait_for(lambda: self._answers, seconds):
                return None
            question, found, error = self._answers.popleft()
        if error is not None:
            raise error
        return question, found

    def limited_by(self) -> str:
        """What keeps it from going faster: SOURCE, OURSELVES (the writer) or NOTHING."""
        with self._change:
            if len(self._answers) >= self.connections:
                return OURSELVES
            return SOURCE if self._flying >= self.connections else NOTHING

    def close(self) -> None:
        """Send everybody home; a call that is under way ends by itself, and its answer is dropped."""
        with self._change:
            self._closed.set()
            self._questions.clear()
            self._answers.clear()
            self._change.notify_all()

    def _work(self) -> None:
        with background(stop=self._closed):
            while (question := self._next()) is not None:
                found, error = None, None
                try:
                    found = question.ask()
                except Exception as raised:  # noqa: BLE001  the writer raises it
                    error = raised
                with self._change:
                    self._flying -= 1
                    if not self._closed.is_set():
                        self._answers.append((question, found, error))
                    self._change.notify_all()

    def _next(self) -> Question | None:
        """Wait for a question; None when it is time to go home."""
        with self._change:
            self._change.wait_for(
                lambda: self._closed.is_set() or (self._questions and self._flying < self.connections)
            )
            if self._closed.is_set():
                return None
            self._flying += 1
            return self._questions.popleft()

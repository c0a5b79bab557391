"""A crew: threads that ask a source while one writer takes the answers, as they come or in the order of the questions.

It knows nothing of what is asked, nor when: its calls are background calls, that wait at the gate of the source. Few
questions are out at a time, so memory stays flat whatever the size of the source.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from gateway.base import correlation
from gateway.legacy.background import Background, background
from gateway.legacy.errors import Forbidden

# What keeps it from going faster, when the gate lets it.
SOURCE, OURSELVES, NOTHING = "de bron", "het verwerken", ""
PATIENT = Background(None, None, None, window=True)
# Asks questions of the source side by side, and gives the answers in their order.
Answers = Callable[[Iterable[Callable[[], Any]]], Iterator[Any]]


@dataclass(frozen=True, slots=True)
class Question:
    """Something to ask in a thread (`ask`), what the writer does with the answer (`take`), and what it can do of that
    before, in short pieces, while it waits for something else (`ahead`)."""

    ask: Callable[[], Any]
    take: Callable[[Any], None]
    ahead: Callable[[Any], Iterator[object]] | None = None


class Crew:
    """Threads that ask. One thread, the writer, calls the methods; `connections` is how many may ask at a time."""

    def __init__(self, connections: int, waiting: Background = PATIENT) -> None:
        """In: how many may ask at a time, and how their calls wait (see `background`)."""
        self.connections = connections
        self._waiting = waiting
        self._operation = correlation.current()
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
    def has_capacity(self) -> bool:
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

    def ahead(self) -> Iterator[object]:
        """What can be done already with the answers that wait, a piece at a time."""
        with self._change:
            waiting = list(self._answers)
        for question, found, error in waiting:
            if question.ahead is not None and error is None:
                yield from question.ahead(found)

    def work(
        self,
        first: deque[Question],
        more: Callable[[], Question | None],
        meanwhile: Callable[[], None],
        seconds: float = 1.0,
    ) -> None:
        """Ask what `more` gives until there is nothing left and all is taken; before that what answers put in `first`.

        `meanwhile` is called after each answer and at least every so many seconds. Raises what a question raised.
        """
        while True:
            while self.has_capacity:
                question = first.popleft() if first else more()
                if question is None:
                    break
                self.ask(question)
            if not self.outstanding:
                return
            got = self.answer(seconds)
            meanwhile()
            if got is not None:
                got[0].take(got[1])

    def in_order(
        self, questions: Iterable[Callable[[], Any]], meanwhile: Callable[[], None], seconds: float = 1.0
    ) -> Iterator[Any]:
        """The answers in the order of the questions, which are asked side by side.

        A slow answer holds up the others once twice as many as there are connections are waiting, so that memory
        stays flat. `meanwhile` is called after each answer and at least every so many seconds. Raises what a question
        raised: at once, but a refusal (Forbidden) in its turn, so that who leaves it at that can go on. Within it,
        another may be begun: its answers and these don't mix.
        """
        coming, early = iter(questions), dict[int, tuple[Any, Forbidden | None]]()
        asked = turn = 0
        more = True
        while True:
            while more and asked - turn < 2 * self.connections and (self.has_capacity or asked == turn):
                question = next(coming, None)
                if question is None:
                    more = False
                    break
                self.ask(Question(partial(_outcome, question), partial(early.__setitem__, asked)))
                asked += 1
            if turn == asked:
                return
            while turn not in early:
                got = self.answer(seconds)
                if got is not None:
                    got[0].take(got[1])
                meanwhile()
            answer, error = early.pop(turn)
            turn += 1
            if error is not None:
                raise error
            yield answer

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
        how = self._waiting
        correlation.take_up(self._operation)  # that of the writer: they work for it
        with background(self._closed, how.waiting, patience=how.patience, window=how.window):
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


def _outcome(question: Callable[[], Any]) -> tuple[Any, Forbidden | None]:
    """The answer to a question, or that it is refused."""
    try:
        return question(), None
    except Forbidden as error:
        return None, error

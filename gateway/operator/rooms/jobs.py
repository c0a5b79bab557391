"""The jobs as an operator sees them, whoever has their table: the package `jobs` stands above us and is handed in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from gateway.config.model import Config
from gateway.operator.rooms.notes import note
from gateway.store.base.store import Store


class JobRow(Protocol):
    """A job: what it does, why it is off (blank: it is on), when it runs, what it does now, and its last run."""

    @property
    def name(self) -> str:
        """Its name, as in `[jobs.<name>]`."""

    @property
    def about(self) -> str:
        """What it does, in Dutch."""

    @property
    def off_because(self) -> str:
        """Why it does not run by itself."""

    @property
    def when(self) -> str:
        """Five cron fields, or every so many seconds."""

    @property
    def now(self) -> str:
        """What it does at this moment, as `gateway.store.operation.leases` has words for it."""

    @property
    def last_run(self) -> int | None:
        """When it last ran, where that is recorded (microseconds UTC)."""

    @property
    def last_status(self) -> str | None:
        """How that ended."""


class JobTable(Protocol):
    """What has the jobs: `jobs.registry`."""

    def listing(self, config: Config, store: Store) -> Sequence[JobRow]:
        """Every job."""

    def switch(self, store: Store, name: str, *, on: bool) -> None:
        """Let a job run by itself, or not."""

    def off_now(self, config: Config, store: Store, name: str) -> str:
        """Why a job does not run by itself; blank when it does."""

    def run_soon(self, store: Store, name: str) -> None:
        """Let a job run at once, beside its times."""


def run_soon(table: JobTable, store: Store, name: str, who: str, why: str) -> None:
    """Let a job run at once, with its line in the log of events."""
    table.run_soon(store, name)
    note(store, f"job {name} nu", who, why)


def switch(table: JobTable, store: Store, name: str, who: str, why: str, *, on: bool) -> None:
    """Let a job run by itself, or not, with its line in the log of events."""
    table.switch(store, name, on=on)
    note(store, f"job {name} {'aan' if on else 'uit'}", who, why)

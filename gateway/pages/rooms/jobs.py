"""Jobs: which there are, whether they run by themselves, what they do now, and how their last run ended."""

from __future__ import annotations

from werkzeug import Response as BaseResponse

from gateway.http import problems
from gateway.operator.rooms import jobs
from gateway.operator.rooms.jobs import JobTable
from gateway.operator.status import NO_SCHEDULER, run_label
from gateway.pages.desk import Desk
from gateway.pages.formats import on_pages
from gateway.store.operation import leases

# Why a job is off when it could do something: an operator chose so, on a page or in the configuration.
CHOSEN = ("klantbrug jobs disable", "er is geen [jobs.", "[jobs.")


class JobsRoom:
    """The page of the jobs."""

    def __init__(self, desk: Desk, table: JobTable | None) -> None:
        self.desk = desk
        self.table = table
        desk.room("jobs", self._shown)
        desk.room("jobs/nu", self._shown, used=False)
        desk.form("jobs/<name>/<state>", self._switch)

    def _shown(self) -> str:
        status = self.desk.overview()
        rows = self.table.listing(self.desk.config, self.desk.store) if self.table else []
        return self.desk.page(
            "jobs",
            "room_jobs",
            rows=rows,
            chosen={
                row.name
                for row in rows
                if row.off_because.startswith(CHOSEN) and not row.off_because.endswith("leeg")
            },
            scheduler=status["scheduler"],
            no_scheduler=NO_SCHEDULER,
            run_label=run_label,
            idle=leases.FREE,
            stuck=leases.STUCK,
            runs=status["runs"],
        )

    def _switch(self, name: str, state: str) -> BaseResponse:
        known = (
            {row.name for row in self.table.listing(self.desk.config, self.desk.store)}
            if self.table
            else set()
        )
        if self.table is None or name not in known or state not in ("aan", "uit", "nu"):
            raise problems.not_found()
        if state == "nu":
            return self._run_soon(self.table, name)
        jobs.switch(self.table, self.desk.store, name, self.desk.who(), self.desk.why(), on=state == "aan")
        return self.desk.did("jobs", f"job-{state}")

    def _run_soon(self, table: JobTable, name: str) -> BaseResponse:
        if off := table.off_now(self.desk.config, self.desk.store, name):
            return self.desk.refused(f"De job {name} staat uit: {on_pages(off)}.")
        jobs.run_soon(table, self.desk.store, name, self.desk.who(), self.desk.why())
        return self.desk.did("jobs", "job-nu")

"""What every room works with: its paths behind the login, the frame around it, and the answer to a form.

A form that changed something is answered with a redirect, so that loading the page again changes nothing; what was
done stands in the address as one word of `DONE`, never a name or a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any

from flask import Flask, redirect, render_template, request
from werkzeug import Response as BaseResponse

from gateway.base import clock
from gateway.config.model import Source
from gateway.http import problems
from gateway.http.problems import Problem
from gateway.http.public_address import PublicAddresses
from gateway.http.responses import SECURITY
from gateway.login import guard
from gateway.login.guard import current_operator, needs
from gateway.login.roles import LOOK, STEER
from gateway.operator.rooms.jobs import JobTable
from gateway.operator.rooms.overview import whole_overview
from gateway.pages import assets
from gateway.pages.formats import FILTERS, on_pages
from gateway.store.base.errors import TooLong
from gateway.store.base.store import Store

if TYPE_CHECKING:
    from gateway.config.model import Config

PREFIX = "/beheer/"
KEPT_SECONDS = 1.0
TOO_LONG = "Dit duurt in deze opslag te lang ([gateway] question_seconds). Op de server kan het wel."
WHY_MOST = 200
# The job that does what is ordered.
ORDERS = "orders"
NO_ORDERS = "Wat u hier vraagt, wordt nu niet gedaan: de job orders staat uit ({}). Zie Jobs."
DONE = {
    "inlezen": "Het inlezen is gevraagd. Het proces voor de jobs begint er binnen enkele seconden mee.",
    "pauze": "De jobs op deze bron wachten. Aanroepen die al liepen, worden nog afgemaakt.",
    "hervat": "De jobs op deze bron gaan verder.",
    "stop": "Het inlezen houdt op. Het kan later verder waar het was.",
    "tempo": "Het tempo is gewijzigd.",
    "bewijs": "Het bewijs is gevraagd. Het proces voor de jobs begint er binnen enkele seconden mee.",
    "bewijs-stop": "Het bewijs houdt op; er komt geen rapport.",
    "fase": "De fase is gewijzigd.",
    "rust": "Laten rusten: dit telt niet meer mee, tot de bron het gewijzigd geeft.",
    "token": "Het token is ingetrokken; binnen enkele seconden werkt het nergens meer.",
    "job-aan": "De job draait weer uit zichzelf.",
    "job-nu": "De job begint binnen enkele seconden, als het proces voor de jobs draait.",
    "vertrek": "De installatie is in fase exported: alles gaat naar het register.",
    "terug": "Deze installatie antwoordt weer zelf.",
    "job-uit": "De job draait niet meer uit zichzelf.",
    "gestuurd": "De wijziging gaat opnieuw naar de bron.",
    "vervallen": "De wijziging is vervallen: de bron houdt wat zij heeft.",
}
# Where operators go: path, what stands in the menu.
ROOMS = (
    ("", "Overzicht"),
    ("backfill", "Backfill"),
    ("bewijs", "Bewijs"),
    ("bevindingen", "Bevindingen"),
    ("quarantaine", "Quarantaine"),
    ("zoeken", "Zoeken"),
    ("fasen", "Fasen"),
    ("jobs", "Jobs"),
    ("tokens", "Tokens"),
    ("terugschrijven", "Terugschrijven"),
    ("export", "Export"),
    ("instellingen", "Instellingen"),
    ("logboek", "Logboek"),
)

View = Callable[..., str | BaseResponse]


class Desk:
    """The pages over one store."""

    def __init__(
        self,
        app: Flask,
        store: Store,
        config: Config,
        addresses: PublicAddresses,
        jobs: JobTable | None = None,
    ) -> None:
        self.app = app
        self.store = store
        self.config = config
        self.addresses = addresses
        self.jobs = jobs
        self._held: tuple[float, dict[str, Any]] | None = None
        app.jinja_env.filters |= FILTERS
        assets.register(app)

    # Paths

    def room(self, path: str, view: View, role: str = LOOK, *, used: bool = True) -> None:
        """Show a page at a path below /beheer/ to operators with a role; `used` False: the page asks it by itself."""
        where = PREFIX + path
        self.app.add_url_rule(
            where, f"page {path}", needs(role, used=used)(self._told(view)), methods=["GET"]
        )

    def form(self, path: str, view: View, role: str = STEER) -> None:
        """Take a form at a path below /beheer/ from operators with a role."""
        where = PREFIX + path
        self.app.add_url_rule(where, f"form {path}", needs(role)(self._told(view)), methods=["POST"])

    def _told(self, view: View) -> View:
        """The view, with a page instead of a problem document for what is not there."""

        @wraps(view)
        def answer(*args: Any, **parts: Any) -> str | BaseResponse:
            try:
                return view(*args, **parts)
            except Problem as problem:
                return guard.page(self.page("", "refusal", why=problem.detail), problem.status)
            except TooLong:
                return guard.page(self.page("", "refusal", why=TOO_LONG), 503, [guard.TRY_AGAIN])

        return answer

    # Answers

    def page(self, room: str, template: str, **values: Any) -> str:
        """A page in the frame. In: the path of its room, its template, what that shows."""
        operator = current_operator()
        return render_template(
            f"{template}.html",
            base=self.addresses.base(request.environ),
            room=room,
            rooms=self._rooms(),
            operator_name=operator.name if operator else "",
            may=self.may,
            done=DONE.get(request.args.get("gedaan", ""), ""),
            assets=assets.VERSION,
            **values,
        )

    def did(self, room: str, what: str) -> BaseResponse:
        """The answer to a form that did something: the room, which says so (a word of DONE)."""
        self._held = None
        path = f"{PREFIX}{room}" if room else "/"
        return self.see(f"{path}?gedaan={what}")

    def see(self, path: str) -> BaseResponse:
        """Lead to a page of ours."""
        answer = redirect(f"{self.addresses.base(request.environ)}{path}", 303)
        answer.headers.extend([*SECURITY, ("Cache-Control", "no-store")])
        return answer

    @staticmethod
    def answer(text: str, status: int) -> BaseResponse:
        """A page with another status than 200."""
        return guard.page(text, status)

    def refused(self, text: str) -> BaseResponse:
        """The answer to a form that could not be done; says why."""
        return guard.page(self.page("", "refusal", why=text), 409)

    # What rooms ask

    def overview(self) -> dict[str, Any]:
        """The status of the whole; made anew when somebody just did something."""
        moment, held = clock.monotonic(), self._held
        if held is None or held[0] < moment or "gedaan" in request.args:
            held = self._held = (moment + KEPT_SECONDS, whole_overview(self.store, self.config))
        return held[1]

    def source(self, name: str) -> Source:
        """A configured source. Raises a 404 Problem."""
        for each in self.config.sources:
            if each.name == name:
                return each
        raise problems.not_found()

    def orders_off(self) -> str:
        """Why nobody would do what is ordered on a page; blank when somebody would."""
        off = self.jobs.off_now(self.config, self.store, ORDERS) if self.jobs else ""
        return NO_ORDERS.format(on_pages(off)) if off else ""

    def who(self) -> str:
        """The name of who asks, for the log of events."""
        operator = current_operator()
        return operator.name if operator else ""

    @staticmethod
    def may(role: str) -> bool:
        """Has who asks this role?"""
        operator = current_operator()
        return operator is not None and role in operator.roles

    @staticmethod
    def why() -> str:
        """The reason that stands in the form, in one line."""
        return " ".join(request.form.get("waarom", "").split())[:WHY_MOST]

    def _rooms(self) -> Sequence[tuple[str, str, str]]:
        """Path, word, and where it is, of the rooms that there is something in."""
        without = set() if any(each.write_back for each in self.config.sources) else {"terugschrijven"}
        without |= set() if self.config.target.url else {"export"}
        without |= set() if self.config.sources else {"backfill", "bewijs", "fasen"}
        return [
            (path, f"{PREFIX}{path}" if path else "/", word) for path, word in ROOMS if path not in without
        ]

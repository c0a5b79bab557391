"""Histories of write-back: clients that write, old screens that change the same, answers that get lost, in any order.

At the end all is delivered, what waits for an operator is sent, and everything is where the rules say: once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from builders.earlier_source import last
from builders.writeback_world import WritingBack, made_at, partij_of_a_klant, zaak_of

from gateway.operator import writeback as operator
from gateway.operator.phase import switch
from gateway.sample.server import Traps

Step = tuple[str, int]
KINDS = ("contactmoment", "klantcontactmoment", "zaakcontactmoment", "objectcontactmoment", "klant")


class WriteBackHistory:
    """One history on one installation."""

    def __init__(self, world: WritingBack) -> None:
        self.world = world
        self.before = {kind: world.data.objects(kind) for kind in KINDS}
        self.partij, url = partij_of_a_klant(world)
        self.klant = last(url)
        self.mail: str = world.data.get("klant", self.klant)["emailadres"]
        self.contacts: list[dict[str, Any]] = []
        self.unsent: list[str] = []
        self.people: list[str] = []
        self.count = 0

    def run(self, steps: Sequence[Step]) -> None:
        """Do these steps, and look at what came of it."""
        for name, number in steps:
            self.count += 1
            STEPS[name](self, number)
        self.world.server.traps = Traps()
        for _ in range(4):
            self.world.hurry()
            self.world.deliver()
            parked = [change.id for change in self.world.queue() if change.parked]
            operator.send(self.world.store, parked)
        self.judge()

    def judge(self) -> None:
        """Everything is where the rules say, once."""
        world = self.world
        assert world.queue() == []
        made = {kind: made_at(world.data, kind, objects) for kind, objects in self.before.items()}
        moments = {each["url"]: each for each in made["contactmoment"]}
        assert len(moments) == len(self.contacts)
        for contact in self.contacts:
            bound = world.bound(contact["uuid"])
            moment = world.data.get("contactmoment", bound["contactmoment", ""])
            shown = world.ask("GET", f"klantcontacten/{contact['uuid']}")
            assert moment["tekst"] == f"{shown['onderwerp']}\n\n{shown['inhoud']}"
            people = [each for each in made["klantcontactmoment"] if each["contactmoment"] == moment["url"]]
            assert len(people) == bool(shown["hadBetrokkenen"])
            zaken = [each for each in made["zaakcontactmoment"] if each["contactmoment"] == moment["url"]]
            assert len(zaken) == len(shown["gingOverOnderwerpobjecten"])
        for uuid in self.unsent:
            assert world.bound(uuid) == {}
        assert sorted(each["voornaam"] for each in made["klant"]) == sorted(self.people)
        assert world.data.get("klant", self.klant)["emailadres"] == self.mail
        world.read_all()
        world.nothing_changes()

    # Clients

    def contact(self, number: int) -> None:
        """A contact about a zaak."""
        made = self.world.contact(zaak_of(self.world, number % 3), onderwerp=f"Vraag {self.count}")
        self.contacts.append(made)

    def with_person(self, number: int) -> None:
        """A contact gets its klant."""
        if self.contacts:
            contact = self.contacts[number % len(self.contacts)]
            if not self.world.ask("GET", f"klantcontacten/{contact['uuid']}")["hadBetrokkenen"]:
                self.world.with_person(contact, self.partij)

    def change(self, number: int) -> None:
        """A contact says something else."""
        if self.contacts:
            contact = self.contacts[number % len(self.contacts)]
            self.world.ask(
                "PATCH", f"klantcontacten/{contact['uuid']}", {"inhoud": f"Gewijzigd {self.count}."}
            )

    def delete(self, number: int) -> None:
        """A contact goes."""
        if self.contacts:
            contact = self.contacts.pop(number % len(self.contacts))
            self.world.ask("DELETE", f"klantcontacten/{contact['uuid']}")

    def address(self, number: int) -> None:
        """The klant gets another e-mail address."""
        path = f"digitaleadressen?verstrektDoorPartij__uuid={self.partij}"
        mails = [
            each for each in self.world.ask("GET", path)["results"] if each["soortDigitaalAdres"] == "email"
        ]
        standard = next((each for each in mails if each["isStandaardAdres"]), None)
        self.mail = f"client{self.count}@example.nl"
        if standard:
            self.world.ask("PATCH", f"digitaleadressen/{standard['uuid']}", {"adres": self.mail})
            return
        body = {
            "adres": self.mail,
            "soortDigitaalAdres": "email",
            "isStandaardAdres": True,
            "omschrijving": "",
        }
        links = {"verstrektDoorPartij": {"uuid": self.partij}, "verstrektDoorBetrokkene": None}
        self.world.ask("POST", "digitaleadressen", body | links)

    def person(self, number: int) -> None:
        """A new partij."""
        naam = {
            "voorletters": "",
            "voornaam": f"Mens {self.count}",
            "voorvoegselAchternaam": "",
            "achternaam": "X",
        }
        body = {
            "soortPartij": "persoon",
            "indicatieActief": True,
            "partijIdentificatie": {"contactnaam": naam},
        }
        self.world.ask("POST", "partijen", body)
        self.people.append(naam["voornaam"])

    # The old screens

    def old_address(self, number: int) -> None:
        """Somebody changes the klant's address; one that a client changed meanwhile is not lost by that."""
        held = self.world.data.get("klant", self.klant)
        mail = f"balie{self.count}@example.nl"
        waits = any(change.kind == "contactgegevens" for change in self.world.queue())
        self.world.data.replace("klant", self.klant, held | {"emailadres": mail})
        if not waits:
            self.mail = mail

    def old_contact(self, number: int) -> None:
        """Somebody changes a contactmoment that write-back made."""
        made = made_at(self.world.data, "contactmoment", self.before["contactmoment"])
        if made:
            chosen = made[number % len(made)]
            self.world.data.replace(
                "contactmoment", last(chosen["url"]), chosen | {"tekst": f"Balie {self.count}"}
            )

    # What happens meanwhile

    def deliver(self, number: int) -> None:
        """The job runs, with some trouble or none."""
        rates = ("lost_answer_rate", "late_error_rate", "write_error_rate", "")
        if name := rates[number % 4]:
            self.world.server.traps = Traps(seed=number, **{name: 0.5})
        self.world.hurry()
        self.world.deliver()
        self.world.server.traps = Traps()

    def forbidden(self, number: int) -> None:
        """The job runs, and halfway the source takes the rights away."""
        self.world.server.traps = Traps(forbid_after=number % 3)
        self.world.hurry()
        self.world.deliver()
        self.world.server.traps = Traps()

    def follow(self, number: int) -> None:
        """What the source has is read."""
        if number % 2:
            self.world.read_all()
        else:
            self.world.run("sync")

    def notified(self, number: int) -> None:
        """The source announces something, and it is looked at."""
        from uuid import UUID

        made = made_at(self.world.data, "contactmoment", self.before["contactmoment"])
        fetcher = self.world.installation.fetchers["bron"]
        import time

        from gateway.fetch.visit import Visit

        fetcher.fetch(Visit(time.monotonic() + 20), "klant", UUID(self.klant))
        for each in made[:2]:
            fetcher.fetch(Visit(time.monotonic() + 20), "contactmoment", UUID(last(each["url"])))

    def synced(self, number: int) -> None:
        """The source is in another phase from now on."""
        switch(self.world.store, "bron", ("live", "synced")[number % 2], "test", "test", force=True)

    def cut_over(self, number: int) -> None:
        """The source is in phase cutover for a while: what clients write then is not sent."""
        switch(self.world.store, "bron", "cutover", "test", "test", force=True)
        self.unsent.append(self.world.contact(zaak_of(self.world))["uuid"])
        self.world.server.reset_calls()
        self.world.deliver()
        assert self.world.server.calls == []
        switch(self.world.store, "bron", "live", "test", "test")


STEPS: dict[str, Callable[[WriteBackHistory, int], None]] = {
    name: getattr(WriteBackHistory, name)
    for name in (
        *("contact", "with_person", "change", "delete", "address", "person"),
        *("old_address", "old_contact", "deliver", "forbidden", "follow", "notified", "synced", "cut_over"),
    )
}

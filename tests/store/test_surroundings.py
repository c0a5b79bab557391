"""What is around documents: each link once, whether one document is asked about or many."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest

from gateway.klantinteracties.model.resources import RESOURCES
from gateway.klantinteracties.read.compose import plan
from gateway.store.base.kinds import KIND, LOCAL_ORIGIN, RELATION
from gateway.store.base.store import Store
from gateway.store.documents import reading
from gateway.store.documents.writing import put_documents
from mappings.model.documents import Document

# Twelve partijen, each of which represents the next two and has an identificator and a category; twelve contacts, each
# with two who take part and two actoren that they share.
PARTIJEN = [UUID(int=number) for number in range(1, 13)]
CONTACTEN = [UUID(int=number) for number in range(101, 113)]
ACTOREN = [UUID(int=number) for number in (201, 202)]
CATEGORIE = UUID(int=301)


def refers(kind: str, number: int, **links: UUID) -> Document:
    return Document(
        kind, UUID(int=number), {}, number, number, {name: [uuid] for name, uuid in links.items()}
    )


@pytest.fixture
def filled(store: Store) -> Store:
    made = [refers("partij", uuid.int) for uuid in PARTIJEN]
    made += [refers("klantcontact", uuid.int) for uuid in CONTACTEN]
    made += [refers("actor", uuid.int) for uuid in ACTOREN]
    made.append(refers("categorie", CATEGORIE.int))
    for place, partij in enumerate(PARTIJEN):
        made.append(refers("partij-identificator", 1000 + place, identificeerdePartij=partij))
        made.append(refers("categorie-relatie", 2000 + place, partij=partij, categorie=CATEGORIE))
        for step in (1, 2):
            other = PARTIJEN[(place + step) % len(PARTIJEN)]
            number = 3000 + 10 * place + step
            made.append(
                refers(
                    "vertegenwoordiging",
                    number,
                    vertegenwoordigendePartij=partij,
                    vertegenwoordigdePartij=other,
                )
            )
    for place, contact in enumerate(CONTACTEN):
        for step in (0, 1):
            number = 4000 + 10 * place + step
            partij = PARTIJEN[(place + step) % len(PARTIJEN)]
            made.append(refers("betrokkene", number, hadKlantcontact=contact, wasPartij=partij))
            made.append(refers("actorklantcontact", number + 1000, klantcontact=contact, actor=ACTOREN[step]))
    with store.write() as session:
        put_documents(session, [(document, None) for document in made], LOCAL_ORIGIN)
    return store


@pytest.mark.parametrize(("kind", "further"), [("partij", 7), ("klantcontact", 8)])
@pytest.mark.parametrize("count", [1, 2, reading.FEW, reading.FEW + 1, 12])
def test_each_link_comes_once(filled: Store, kind: str, further: int, count: int) -> None:
    """`further`: so many references has what refers to one document."""
    how = plan(kind, (), persons=True).surroundings
    assert how is not None
    with filled.read() as session:
        page = reading.page(session, kind, (), 1, count)
        assert page is not None
        ids = [number for number, _, _ in page.rows]
        links = reading.around(session, how, ids)
        alone = {link for number in ids for link in reading.around(session, how, [number])}
    assert {link for link, times in Counter(links).items() if times > 1} == set()
    assert set(links) == alone
    sides = Counter(link[reading.SIDE] for link in links)
    assert sides[reading.FURTHER] == further * count, sides


def test_what_can_refer_to_several_is_not_followed() -> None:
    for names in (
        ("vertegenwoordiging.vertegenwoordigendePartij", "vertegenwoordiging.vertegenwoordigdePartij"),
        ("internetaak.toegewezenAanActoren",),
    ):
        with pytest.raises(ValueError):
            reading.surroundings(refers=True, further_from={RELATION[name] for name in names})
    assert {resource.kind for resource in RESOURCES} == set(KIND)
    for kind in KIND:
        plan(kind, (), persons=True)

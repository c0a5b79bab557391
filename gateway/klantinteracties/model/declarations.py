"""The words that partijen.py and klantcontacten.py declare the served API in: fields, filters, expansions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from gateway.store.base.conditions import Compare, Hop, Subject, Where

Expansions = Mapping[str, "Expansions"]


@dataclass(frozen=True, slots=True)
class BodyValue:
    """A value of the stored body, as it stands.

    A group that only fits one value of `switch` is emptied when that changes.
    """

    name: str
    switch: str = ""


@dataclass(frozen=True, slots=True)
class DocumentReference:
    """A reference to one document: {uuid, url} and fields of that document named in `extra`, or null.

    What a client writes must be in the listing `among` of this document, and have the field and value of `only`.
    """

    name: str
    relation: str
    to: str
    extra: tuple[str, ...] = ()
    among: str = ""
    only: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class References:
    """References to several documents, in the order in which they were given; or the first of them alone."""

    name: str
    relation: str
    to: str
    first: bool = False


@dataclass(frozen=True, slots=True)
class Inside:
    """A value of the stored body that carries a reference inside when `switch` has the value `on`."""

    name: str
    reference: DocumentReference
    switch: str
    on: str


class Writes(Enum):
    """What writing a list of referring documents does to them."""

    NOTHING = "it is only shown"
    TAKES_OVER = "those in the list refer to this document from now on, others no longer"
    MAKES = "those with a uuid are changed, those without are made, others are removed"


@dataclass(frozen=True, slots=True)
class Listing:
    """The documents that refer to this one, oldest first: [{uuid, url}], or each in full."""

    name: str
    relation: str
    to: str
    whole: bool = False
    writes: Writes = Writes.NOTHING


@dataclass(frozen=True, slots=True)
class Summary:
    """The documents that refer to this one, with a field of what they refer to and some of their own."""

    name: str
    relation: str
    to: str
    about: str  # a relation of theirs
    about_field: str
    shown_as: str
    own: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Through:
    """The documents at the other side of those that refer to this one: [{uuid, url}], or each in full."""

    name: str
    relation: str
    other: str
    to: str
    whole: bool = False


Field = BodyValue | DocumentReference | References | Inside | Listing | Summary | Through


class Form(Enum):
    """How the value of a query parameter is written."""

    TEXT = "text"
    CHOICE = "choice"
    FLAG = "flag"
    UUID = "uuid"
    URL = "url"
    DATE = "date"
    MOMENT = "moment"  # compared with the time that the list is ordered by
    MOMENT_TEXT = "moment as text"  # compared with a moment in the body


@dataclass(frozen=True, slots=True)
class Filter:
    """One query parameter of a list; `several` says whether it takes a comma list of texts, of which one must fit.

    `about` are the documents it looks at, in words that end a sentence.
    """

    name: str
    form: Form
    where: Where
    choices: tuple[str, ...] = ()
    several: bool = False
    about: str = ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One resource of the API.

    `path` is its place under the API's base path, `kind` the kind of its documents, `fields` what an answer
    shows after uuid and url, in that order; `expansions` what `expand` may name, as a tree; `unique` the values
    that no two documents of the kind share; `cascades` whether a DELETE may ask for more than the document.
    `title` and `description` are what OPTIONS tells.
    """

    path: str
    kind: str
    title: str
    description: str
    fields: tuple[Field, ...]
    filters: tuple[Filter, ...] = ()
    expansions: Expansions = field(default_factory=dict, hash=False)
    unique: tuple[str, ...] = ()
    cascades: bool = False


@dataclass(frozen=True, slots=True)
class At:
    """Where filters look: the documents of `kind` at the end of `path`, named with this prefix.

    `about` names them for who reads the documentation of the API, as "een betrokkene van het klantcontact".
    """

    kind: str
    about: str
    prefix: str = ""
    path: tuple[Hop, ...] = ()

    def to(self, relation: str, kind: str, prefix: str, about: str) -> At:
        """Those that the documents here refer to."""
        return At(kind, about, prefix, (*self.path, Hop(relation)))

    def back(self, relation: str, prefix: str, about: str) -> At:
        """Those that refer to the documents here."""
        return At(relation.split(".")[0], about, prefix, (*self.path, Hop(relation, back=True)))

    def _filter(
        self,
        name: str,
        form: Form,
        place: str,
        compare: Compare = Compare.IS,
        choices: tuple[str, ...] = (),
    ) -> Filter:
        where = Where(self.kind, self.path, Subject.FIELD, place, compare)
        return Filter(self.prefix + name, form, where, choices, about=self.about)

    def text(self, name: str, place: str = "") -> Filter:
        """A text that must be equal; `place` is the path in the body when it isn't the name."""
        return self._filter(name, Form.TEXT, place or name)

    def one_of(self, name: str) -> Filter:
        """A text that must be equal to one of a comma list."""
        return replace(self.text(name), several=True)

    def contains(self, name: str, place: str = "") -> Filter:
        """A text that must occur, without regard to case."""
        return self._filter(name, Form.TEXT, place or name, Compare.CONTAINS)

    def choice(self, name: str, *choices: str, place: str = "") -> Filter:
        """One of the values of an enumeration."""
        return self._filter(name, Form.CHOICE, place or name, choices=choices)

    def flag(self, name: str) -> Filter:
        """A boolean of the body."""
        return self._filter(name, Form.FLAG, name)

    def has(self, name: str, place: str) -> Filter:
        """Whether a field of the body has a value."""
        return self._filter(name, Form.FLAG, place, Compare.PRESENT)

    def present(self, name: str) -> Filter:
        """Whether there is any document here."""
        where = Where(self.kind, self.path, Subject.DOCUMENT, "", Compare.PRESENT)
        return Filter(name, Form.FLAG, where, about=self.about)

    def date(self, name: str, place: str = "", compare: Compare = Compare.IS) -> Filter:
        """A date to compare with."""
        return self._filter(name, Form.DATE, place or name, compare)

    def moment(self, name: str) -> Filter:
        """The exact time that the list is ordered by."""
        where = Where(self.kind, self.path, Subject.MOMENT)
        return Filter(self.prefix + name, Form.MOMENT, where, about=self.about)

    def moment_text(self, name: str) -> Filter:
        """An exact time that stands in the body."""
        return self._filter(name, Form.MOMENT_TEXT, name)

    def uuid(self, name: str = "uuid") -> Filter:
        """The document itself, by its uuid."""
        return Filter(self.prefix + name, Form.UUID, self._itself(), about=self.about)

    def url(self, name: str = "url") -> Filter:
        """The document itself, by its address."""
        return Filter(self.prefix + name, Form.URL, self._itself(), about=self.about)

    def _itself(self) -> Where:
        return Where(self.kind, self.path, Subject.DOCUMENT)

    def by_reference(self) -> tuple[Filter, Filter]:
        """The document itself, by uuid or by address."""
        return self.uuid(), self.url()

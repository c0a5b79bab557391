"""What each filter does, in Dutch words made of its declaration: how the value is compared, and with what."""

from __future__ import annotations

from gateway.klantinteracties.model.declarations import Filter, Form
from gateway.store.base.conditions import Compare, Subject

_COMPARED = {
    Compare.CONTAINS: "Komt voor in de tekst, hoofdletters maken niet uit",
    Compare.AFTER: "Later dan deze dag",
    Compare.FROM: "Op of na deze dag",
    Compare.BEFORE: "Eerder dan deze dag",
    Compare.UNTIL: "Op of voor deze dag",
    Compare.PRESENT: "Ingevuld (true) of leeg (false)",
}
_FORMS = {
    Form.TEXT: "Precies deze tekst",
    Form.CHOICE: "Deze waarde",
    Form.FLAG: "Ja (true) of nee (false)",
    Form.DATE: "Precies deze dag",
    Form.MOMENT_TEXT: "Precies dit tijdstip",
}
_THEMSELVES = {Form.UUID: "De uuid", Form.URL: "Het adres (URL)"}
SEVERAL = "Een of meer teksten, gescheiden door komma's"


def filter_text(item: Filter) -> str:
    """The words of a filter."""
    where = item.where
    if where.subject is Subject.DOCUMENT:
        if where.compare is Compare.PRESENT:
            return f"Er is wel (true) of niet (false): {item.about}."
        return f"{_THEMSELVES[item.form]} van {item.about}."
    if where.subject is Subject.MOMENT:
        return f"Precies dit tijdstip: dat van {item.about}."
    how = SEVERAL if item.several else _COMPARED.get(where.compare) or _FORMS[item.form]
    return f"{how}: `{where.field}` van {item.about}."

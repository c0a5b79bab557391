"""What an operator can do about an object that the register refuses (E5)."""

from __future__ import annotations

AGAIN = "Daarna: klantbrug export run --parked."
# What stands in a cause, and what to do; the first that fits.
ADVICE = (
    (
        "subIdentificatorVan",
        "Een vestigingsnummer zonder KVK-nummer: geef de vestiging met PATCH een subIdentificatorVan.",
    ),
    (
        "conflict: two objects",
        "Het register heeft twee objecten die bij dit ene horen: voeg ze daar samen.",
    ),
    ("__all__", "Het register heeft dit nummer al bij een ander object: zoek het daar op en voeg ze samen."),
    ("unique", "Het register heeft al zo'n object: zoek het daar op en voeg ze samen."),
    ("max_length", "De waarde is het register te lang: kort haar in, hier met PATCH of in de bron."),
    ("gone", "Het object is in het register verwijderd: zet het daar terug, of verwijder het ook hier."),
    (
        "required",
        "Het register wil een waarde die hier ontbreekt: vul haar in, hier met PATCH of in de bron.",
    ),
    ("", "Het register keurt de waarde in deze velden af: verbeter haar, hier met PATCH of in de bron."),
)


def advice(cause: str) -> str:
    """What to do about a cause."""
    return next(text for part, text in ADVICE if part in cause)

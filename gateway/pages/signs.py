"""The drawing beside what a page says first, so that screens differ at a glance, also for who does not see colours."""

from __future__ import annotations

from collections.abc import Mapping

# By the word that is said, else by how good that is; the name is also that of a class in the stylesheet.
OF_WORDS = {
    "Gepauzeerd": "paused",
    "Bron antwoordt niet": "away",
    "Bewijs mislukt": "unequal",
    "NIET schoon": "unequal",
    "Geen jobs-proces": "stopped",
}
# In a square of 24; lines, not planes.
DRAWN: Mapping[str, tuple[str, ...]] = {
    "good": ("M4 13l5 5L20 6",),
    "busy": ("M7 4l13 8-13 8z",),
    "half": ("M12 3l10 18H2z", "M12 9v6", "M12 18v.5"),
    "bad": ("M5 5l14 14", "M19 5L5 19"),
    "paused": ("M8 4v16", "M16 4v16"),
    "away": (
        "M9 15l-3 3a3.5 3.5 0 0 1-5-5l4-4",
        "M15 9l3-3a3.5 3.5 0 0 1 5 5l-4 4",
        "M9 4L8 1",
        "M15 20l1 3",
    ),
    "unequal": ("M4 9h16", "M4 15h16", "M17 4L7 20"),
    "stopped": ("M7.5 5a9 9 0 1 0 9 0", "M12 2v9"),
}


def sign(said: Mapping[str, str]) -> str:
    """Which drawing belongs to what is said. In: its `word` and `level`."""
    return OF_WORDS.get(said["word"], said["level"])


def sign_paths(said: Mapping[str, str]) -> tuple[str, ...]:
    """The lines of that drawing."""
    return DRAWN[sign(said)]

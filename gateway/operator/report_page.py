"""A report for people as one page of HTML that needs nothing beside it; all share the frame `templates/report.html`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, select_autoescape

from gateway.base.dutch_time import local

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(),
    trim_blocks=True,
    lstrip_blocks=True,
)


def number(value: int) -> str:
    """A whole number as Dutch people read it: 12.345."""
    return f"{value:,}".replace(",", ".")


_environment.filters |= {"moment": local, "number": number}


def page(template: str, **values: Any) -> str:
    """The page. In: the name of its template, which extends `report.html`, and what that shows."""
    return _environment.get_template(template).render(**values)

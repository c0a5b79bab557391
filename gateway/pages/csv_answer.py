"""A table as CSV, sent while it is made: as many rows as there are, without holding them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from flask import Response

from gateway.base.logs import get_logger
from gateway.http.responses import SECURITY
from gateway.operator.rooms.found import safe_cell
from gateway.store.base.errors import StoreError, StoreFailed, TooLong

log = get_logger(__name__)

ROWS = 200
BROKEN_OFF = "DIT BESTAND IS NIET COMPLEET: de opslag gaf geen antwoord meer. Haal het opnieuw op."
# So that spreadsheets in Dutch read it right: semicolons, and UTF-8 by its mark.
MARK, DELIMITER = "\ufeff", ";"


def csv_answer(name: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Response:
    """The answer with a file of that name."""
    headers = [
        *SECURITY,
        ("Content-Disposition", f'attachment; filename="{name}.csv"'),
        ("Cache-Control", "no-store"),
    ]
    return Response(_pieces(headings, rows), 200, headers, content_type="text/csv; charset=utf-8")


def _pieces(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=DELIMITER)
    text.write(MARK)
    writer.writerow(headings)
    try:
        for number, row in enumerate(rows, start=1):
            writer.writerow([safe_cell(cell) for cell in row])
            if number % ROWS == 0:
                yield text.getvalue().encode()
                text.seek(0)
                text.truncate()
    except (
        StoreError,
        StoreFailed,
        TooLong,
    ) as error:  # it is half sent: whoever reads the file must be told there
        log.warning("a file of rows was broken off", cause=type(error).__name__)
        writer.writerow([BROKEN_OFF])
    yield text.getvalue().encode()

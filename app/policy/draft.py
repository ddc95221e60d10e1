"""Draw up a grant from a template: closed, and with what is the officer's to decide left open.

INVARIANT: a draft discloses no record of anybody: its rows name no school, and without a last day it is never in force.
"""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from importlib.resources import files
from string import Template

from app.names import ClientId

PURPOSES = {"roster": "rostering", "gradebook": "instruction", "assessment": "instruction"}
"""Each template with the word that most districts have for what it is for."""

FEW_DAYS = 120
"""A school year that ends within so many days is not worth beginning."""

REVIEW = timedelta(days=90)
SCHOOLS_TOLD = 12


def draft(
    template: str,
    *,
    client: ClientId,
    purpose: str,
    first: date,
    last: date | None,
    schools: Iterable[str] = (),
    schema: bool = False,
) -> str:
    """A grant file's text. Without a last day it ends before it begins. `schema`: whether the forms lie beside it."""
    suggested = end_of_year(first)
    if last is None:
        not_after, ends = first - timedelta(days=1), f"never in force until you write the last day, such as {suggested}"
    else:
        not_after, ends = last, "the last day, inclusive, in the district's time zone"
    known = sorted(schools)
    told = ", ".join(map(json.dumps, known[:SCHOOLS_TOLD])) + (", …" if len(known) > SCHOOLS_TOLD else "")
    text = (files("app.policy") / "templates" / f"{template}.toml").read_text(encoding="utf-8")
    return Template(text).substitute(
        schema="#:schema ../../../schemas/grant.json\n" if schema else "",
        client=client,
        purpose=purpose,
        not_before=first,
        not_after=not_after,
        ends=ends,
        review_by=max((last or suggested) - REVIEW, first),
        schools=f",\n# such as {told}" if told else "",
    )


def end_of_year(day: date) -> date:
    """The end of the school year, or of the next one where only a few days are left."""
    end = date(day.year, 6, 30)
    return end if (end - day).days >= FEW_DAYS else date(day.year + 1, 6, 30)

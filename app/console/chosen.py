"""What an officer chose in the form of a decision: fields, of whom, until when, and what a first grant rests on."""

import re
from datetime import date
from typing import Any

from app.console.forms import Form
from app.console.lists import read, written
from app.console.visit import Rejected
from app.names import Coordinate
from app.policy.model import Basis, Rows, Transform
from app.requests.form import CONTROL
from app.requests.model import AccessRequest

MOST_YEARS = 100
"""As in a grant's file."""


def kept(form: Form, request: AccessRequest) -> dict[Coordinate, Transform | None]:
    """The fields that are ticked, each as it was chosen to be shown. Raises: ValueError."""
    ticked = set(form.texts("field"))
    if not ticked <= {one.coordinate for one in request.form.fields}:
        raise ValueError("A decision gives no more than was asked for. Load the page again.")
    found: dict[Coordinate, Transform | None] = {}
    for one in request.form.fields:
        if one.coordinate in ticked:
            word = form.text(f"as.{one.coordinate}")
            if word not in {"", *Transform}:
                raise ValueError("A field is shown as it is, as an initial or masked. Choose one of them.")
            found[Coordinate(one.coordinate)] = Transform(word) if word else None
    return found


def rows(form: Form, shown: Rows) -> Rows:
    """Of whom, as it was typed over what was shown. Empty is no condition. Raises: ValueError."""
    listed: dict[str, Any] = {}
    for key in ("schools", "grade_levels", "subjects"):
        text, before = form.text(key), getattr(shown, key)
        # What nobody touched is as it was: a list may be empty, and let nobody in.
        listed[key] = before if text == written(before).strip() else typed(key, text)
    years = form.text("history_years")
    if not re.fullmatch(r"[0-9]{0,3}", years) or int(years or 0) > MOST_YEARS:
        raise ValueError(f"School years before this one are a number from 0 to {MOST_YEARS}, or nothing. Correct it.")
    enrollment = form.text("enrollment")
    if enrollment not in {"", "active", "any"}:
        raise ValueError("Enrollment is today, ever, or no condition. Choose one of them.")
    return Rows(**listed, enrollment=enrollment or None, history_years=int(years) if years else None)  # type: ignore[arg-type]


def typed(key: str, text: str) -> tuple[str, ...] | None:
    """One condition that lists what it lets through. Raises: ValueError."""
    try:
        if len(text) > 4_000 or CONTROL.search(text):
            raise ValueError
        return read(text) or None
    except ValueError:
        raise ValueError(
            f"The list of {key.replace('_', ' ')} cannot be read. Part its values by commas; "
            "a value with a comma of its own stands in quotation marks."
        ) from None


def day(text: str) -> date:
    """A day as it was typed. Raises: ValueError."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("The last day is written as year-month-day, such as 2027-06-30. Correct it.") from None


def contract(form: Form) -> tuple[Basis, tuple[str, date, tuple[str, ...]] | None]:
    """On what a first grant rests, as it was typed. Raises: Rejected."""
    try:
        basis = Basis(form.text("basis") or Basis.SCHOOL_OFFICIAL)
        title = form.text("agreement")
        if not title:
            return basis, None
        if len(title) > 300 or CONTROL.search(title):
            raise ValueError("The agreement's title has up to 300 plain letters. Correct it.")
        return basis, (title, day(form.text("signed")), form.texts("schedule"))
    except ValueError as error:
        told = str(error) if str(error).endswith(".") else "There is no such basis. Choose one of the list."
        raise Rejected(told) from None

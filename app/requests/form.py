"""The form in which a vendor asks a district for data: strict and bounded, and checked against what there is.

Shape: JSON. What it does not say stays as the grant in force has it; where there is none yet, it says everything.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from app.errors import RequestError
from app.names import ClientId, Coordinate
from app.policy.authority import chosen
from app.policy.documents import COORDINATE, WORD, RowsDocument
from app.policy.known import FactLike
from app.policy.model import Grant, Rows, SpacePolicy, Transform

LARGEST = 65_536
"""Units: bytes."""

CODE = "REQUEST_INVALID"
FIRST_YEAR, LAST_YEAR = 2000, 2200

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

Sentence = Annotated[str, Meta(min_length=1, max_length=1000)]
CoordinateText = Annotated[
    str, Meta(max_length=201, description="A coordinate of the graph.", examples=["Student.birthDate"])
]


class AskedField(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One coordinate, and why the product needs it."""

    coordinate: CoordinateText
    reason: Annotated[Sentence, Meta(description="Why the product needs it, as an officer would read it.")]
    shown_as: Annotated[
        Transform | None, Meta(description="Enough if it leaves so: `initial` or `masked`, for texts.")
    ] = msgspec.field(default=None, name="as")


class Form(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a vendor asks for. Left out: as the grant in force has it."""

    purpose: Annotated[str, Meta(max_length=64, description="One of the district's words.")]
    fields: Annotated[
        tuple[AskedField, ...], Meta(max_length=300, description="Coordinates beyond the grant, or shown otherwise.")
    ] = ()
    remove: Annotated[
        tuple[CoordinateText, ...], Meta(max_length=300, description="Coordinates that are given up.")
    ] = ()
    statement: Annotated[
        str, Meta(max_length=2000, description="The purpose in a sentence that a parent understands.")
    ] = ""
    not_before: date | None = None
    not_after: Annotated[date | None, Meta(description="The last day, inclusive.")] = None
    rows: Annotated[RowsDocument | None, Meta(description="Of whom; {} is everybody.")] = None

    def asked_rows(self) -> Rows | None:
        """Of whom, as a value of the policy's."""
        return None if self.rows is None else Rows(**{key: getattr(self.rows, key) for key in ROWS})


ROWS = ("schools", "grade_levels", "subjects", "enrollment", "history_years")

_decoder = msgspec.json.Decoder(Form)


def read_form(body: bytes) -> Form:
    """The form that a body holds. Raises: RequestError."""
    if len(body) > LARGEST:
        raise invalid([f"The form is larger than {LARGEST} bytes. Ask for less at a time."])
    try:
        return _decoder.decode(body)
    except msgspec.ValidationError as error:
        # Of msgspec's sentences: they name the key and the type, and quote no value but unknown keys.
        raise invalid([f"The form is not as documented: {error}. Correct it."]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid(["The body is not JSON in UTF-8. Send the documented form."]) from None


def stored(form: Form) -> Any:
    """The form as JSON that a database keeps."""
    return msgspec.to_builtins(form)


def restored(kept: object) -> Form:
    """The form that was kept."""
    return msgspec.convert(kept, Form)


def grant_for(policy: SpacePolicy, client: ClientId, purpose: str, today: date) -> Grant | None:
    """The grant that a request would change; None if the client has none for that purpose."""
    return chosen((g for g in policy.grants if (g.client, g.purpose) == (client, purpose)), policy.state, today)


def check_form(
    form: Form, facts: Mapping[Coordinate, FactLike], policy: SpacePolicy, client: ClientId, today: date
) -> None:
    """Refuse what cannot be decided. Raises: RequestError with a sentence for each thing that is wrong."""
    grant = grant_for(policy, client, form.purpose, today)
    problems = [*_purpose(form, policy), *_fields(form, facts, grant), *_period(form, grant, today), *_texts(form)]
    if grant is None:
        problems += _whole(form)
    elif not (form.fields or form.remove or form.rows or form.statement or form.not_before or form.not_after):
        problems.append("Nothing is asked for. Name fields, rows or a period.")
    if problems:
        raise invalid(problems)


def invalid(problems: Collection[str]) -> RequestError:
    """What is wrong with a form."""
    first = next(iter(problems))
    return RequestError(first, code=CODE, extensions={"problems": list(problems)})


def _purpose(form: Form, policy: SpacePolicy) -> Iterator[str]:
    known = sorted(policy.district.purposes) if policy.district else []
    if re.fullmatch(WORD, form.purpose) is None or form.purpose not in known:
        yield f"The district has no such purpose; its words are: {', '.join(known) or 'none yet'}. Use one."


def _fields(form: Form, facts: Mapping[Coordinate, FactLike], grant: Grant | None) -> Iterator[str]:
    seen: set[str] = set()
    for place, coordinate in (
        *((f"fields[{n}]", one.coordinate) for n, one in enumerate(form.fields)),
        *((f"remove[{n}]", one) for n, one in enumerate(form.remove)),
    ):
        if re.fullmatch(COORDINATE, coordinate) is None or coordinate not in facts:
            yield f"{place}: the graph has no such coordinate. The schema lists them, such as Student.birthDate."
        elif coordinate in seen:
            yield f"{place}: {coordinate} stands twice. Name it once."
        seen.add(coordinate)
    for n, one in enumerate(form.fields):
        fact = facts.get(Coordinate(one.coordinate))
        if fact is not None and one.shown_as is not None and not fact.is_text:
            yield f"fields[{n}]: {one.coordinate} is {fact.graphql_type}, and only a text can be shortened."
        listed = grant.fields if grant else {}
        if one.coordinate in listed and listed[Coordinate(one.coordinate)] == one.shown_as:
            yield f"fields[{n}]: {one.coordinate} is granted so already. Leave it out."
    for n, coordinate in enumerate(form.remove):
        if coordinate in facts and (grant is None or coordinate not in grant.fields):
            yield f"remove[{n}]: {coordinate} is not granted. Leave it out."


def _period(form: Form, grant: Grant | None, today: date) -> Iterator[str]:
    first = form.not_before or (grant.not_before if grant else today)
    last = form.not_after or (grant.not_after if grant else None)
    if any(day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR for day in (form.not_before, form.not_after)):
        yield f"A period lies between the years {FIRST_YEAR} and {LAST_YEAR}. Name another day."
    if last is not None and last < first:
        yield "The period ends before it begins. Correct `not_before` or `not_after`."
    if form.not_after is not None and form.not_after < today:
        yield "The period is over. Name a later day as `not_after`."


def _texts(form: Form) -> Iterator[str]:
    rows = form.rows
    listed = [*(rows.schools or ()), *(rows.grade_levels or ()), *(rows.subjects or ())] if rows else []
    if len(listed) > 500:
        yield "`rows` lists more than 500 values. List fewer."
    for n, one in enumerate(form.fields):
        if not says_something(one.reason):
            yield f"fields[{n}]: the reason says nothing. Write why the product needs {one.coordinate}."
    if form.statement and not says_something(form.statement):
        yield "`statement` says nothing. Write the purpose in a sentence that a parent understands."
    if any(CONTROL.search(text) for text in (form.statement, *(one.reason for one in form.fields), *listed)):
        yield "A text has characters that cannot be seen. Write it in plain letters."


def says_something(text: str) -> bool:
    """Whether there is a letter in it: blanks, dots and what cannot be seen give no reason."""
    return any(letter.isalpha() for letter in text)


def _whole(form: Form) -> Iterator[str]:
    """What a request for a first grant must say."""
    if not form.fields:
        yield "There is no grant for this purpose yet. Name the `fields` that are needed."
    if not form.statement:
        yield "There is no grant for this purpose yet. Say in `statement` what the data is for."
    if form.rows is None:
        yield "There is no grant for this purpose yet. Say in `rows` of whom; {} is everybody."
    if form.not_after is None:
        yield "There is no grant for this purpose yet. Say in `not_after` until when."

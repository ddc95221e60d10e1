"""The forms of policy file, as they are written: strict, so that a misspelt key is an error and never silence.

Shape: `Document` classes mirror the TOML; `app.policy.parse` makes the model's values of them. `json_schema` gives each
form's JSON Schema (2020-12) for editors and officers.
"""

import json
from datetime import date, datetime
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from app.policy.decide import Reason
from app.policy.model import Basis, Transform

WORD = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
COORDINATE = r"[_A-Za-z][_0-9A-Za-z]{0,99}\.[_A-Za-z][_0-9A-Za-z]{0,99}"
NAME = r"[_A-Za-z][_0-9A-Za-z]{0,99}"
CLIENT = r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}"
EXPECTED = ("disclosed", *map(str, Transform), "in", "out", "withheld", *map(str, Reason))
"""What a case may expect: that a field leaves, shortened or not; of a record, that it is in the rows or out of them, or
that a field of it is null without an error, for what its family decided.
"""


def _described(text: str, pattern: str | None = None) -> Meta:
    return Meta(description=text, extra_json_schema={"pattern": f"^{pattern}$"} if pattern else None)


CoordinateText: TypeAlias = Annotated[
    str, _described("A coordinate of the graph, such as Student.birthDate.", COORDINATE)
]
Line: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One table of a policy file. A key that it does not name is an error."""


class FieldDocument(Document, frozen=True):
    """A field that leaves shortened."""

    field: Annotated[str, _described("The field's name.", NAME)]
    shown_as: Annotated[Transform, Meta(description='"initial" gives "S.", "masked" gives "•••".')] = msgspec.field(
        name="as"
    )


class AgreementDocument(Document, frozen=True):
    """The contract that the grant rests on."""

    title: Line
    signed: date
    schedule: Annotated[tuple[Line, ...], Meta(description="The NDPA categories of data that the agreement covers.")]


class RowsDocument(Document, frozen=True):
    """Whose records: all given conditions must hold; what is absent is no condition."""

    schools: Annotated[tuple[Line, ...] | None, Meta(description="The district's own school keys.")] = None
    grade_levels: Annotated[tuple[Line, ...] | None, Meta(description='Grade levels such as "KG" and "03".')] = None
    subjects: Annotated[tuple[Line, ...] | None, Meta(description="Subjects as the district writes them.")] = None
    enrollment: Annotated[Literal["active", "any"] | None, Meta(description="Enrolled today, or ever.")] = None
    history_years: Annotated[
        Annotated[int, Meta(ge=0, le=100)] | None, Meta(description="School years back; 0: the current one only.")
    ] = None


class ApprovalDocument(Document, frozen=True):
    """One officer's consent, by name."""

    by: Line
    role: Annotated[str, _described("The officer's role, such as steward.", WORD)]
    at: Annotated[datetime, Meta(tz=True, description="When, with an offset: 2026-07-20T15:02:11Z.")]
    covers: Annotated[
        tuple[CoordinateText, ...],
        Meta(description="The sensitive or restricted coordinates that this is for, by name."),
    ] = ()


class GrantDocument(Document, frozen=True, kw_only=True):
    """What one client may read, of whom, why, and until when."""

    client: Annotated[str, _described("The client_id.", CLIENT)]
    purpose: Annotated[str, _described("One of the district's words.", WORD)]
    statement: Annotated[str, Meta(max_length=2000, description="The purpose as a parent would read it.")] = ""
    basis: Annotated[Basis, Meta(description="Why the law allows it (34 CFR 99.30, 99.31).")]
    not_before: Annotated[date, Meta(description="The first day.")]
    not_after: Annotated[date, Meta(description="The last day, inclusive, in the district's time zone.")]
    review_by: Annotated[date | None, Meta(description="When the district looks at it again.")] = None
    agreement: AgreementDocument | None = None
    fields: Annotated[
        dict[str, tuple[str | FieldDocument, ...]],
        Meta(description="Granted fields by type. Anything absent is denied."),
    ]
    rows: RowsDocument = RowsDocument()
    approval: tuple[ApprovalDocument, ...] = ()


class DistrictDenialDocument(Document, frozen=True):
    """Fields that no grant of this district gives."""

    fields: tuple[CoordinateText, ...]
    reason: Line


class ApprovalsDocument(Document, frozen=True):
    """The roles that must each have approved by name."""

    sensitive: tuple[Annotated[str, _described("A role.", WORD)], ...] = ("steward", "privacy-officer")
    restricted: tuple[Annotated[str, _described("A role.", WORD)], ...] = ("steward", "privacy-officer")


class DirectoryDocument(Document, frozen=True):
    """Which grants lose directory fields of blocked students."""

    applies_to: tuple[Basis, ...] = (Basis.DIRECTORY_INFORMATION,)
    fields: Literal["directory"] = "directory"


class OptOutDocument(Document, frozen=True):
    """What a parent's opt-out does."""

    vendors: Literal["withhold-record", "withhold-fields"] = "withhold-record"
    directory: DirectoryDocument = DirectoryDocument()


class SubgraphDocument(Document, frozen=True):
    """What may leave to one subgraph."""

    may_receive: tuple[CoordinateText, ...] = ()


class DistrictDocument(Document, frozen=True):
    """What holds for every grant of this district."""

    name: Line
    time_zone: Annotated[str, Meta(description="An IANA name, such as America/Chicago.", max_length=64)]
    purposes: Annotated[
        dict[str, Line], Meta(description="The district's words for purposes, each with its sentence.")
    ] = {}
    deny: tuple[DistrictDenialDocument, ...] = ()
    ssn: Annotated[
        Literal["leave-out", "store"], Meta(description="What an import does with social security numbers.")
    ] = "leave-out"
    approvals: ApprovalsDocument = ApprovalsDocument()
    opt_out: OptOutDocument = OptOutDocument()
    retention: Annotated[
        dict[str, Annotated[int, Meta(ge=0, le=200)] | Literal["keep"]],
        Meta(description="School years that records are kept after their own, by type."),
    ] = {}
    subgraphs: dict[str, SubgraphDocument] = {}


class StateDenialDocument(Document, frozen=True):
    """Fields that no grant in this state gives."""

    fields: tuple[CoordinateText, ...]
    reason: Line
    unless_basis: Annotated[tuple[Basis, ...], Meta(description="Grants on these bases are exempt.")] = ()


class StateDocument(Document, frozen=True):
    """A ceiling over every district of the state."""

    deny: tuple[StateDenialDocument, ...] = ()
    max_days: Annotated[
        Annotated[int, Meta(ge=1, le=36_525)] | None,
        Meta(description="The longest period of a grant, first and last day counted."),
    ] = None


class EnrollmentDocument(Document, frozen=True):
    """One school enrollment of the pupil of a case."""

    school: Annotated[Line | None, Meta(description="The district's own key of the school.")] = None
    grade_level: Annotated[Line | None, Meta(description='Such as "KG" and "03".')] = None
    entry_date: date | None = None
    exit_date: Annotated[date | None, Meta(description="The last day, inclusive. Absent: still enrolled.")] = None


class RecordDocument(EnrollmentDocument, frozen=True):
    """A record of an invented pupil, who is enrolled so and sits in one section of that school."""

    type: Annotated[str | None, _described("The type of the record; Student if left out.", NAME)] = None
    subject: Annotated[Line | None, Meta(description="The subject of the section's course.")] = None
    school_year: Annotated[
        int | None, Meta(description="The year in which the record's school year ends; the day's if left out.")
    ] = None
    opted_out: Annotated[bool, Meta(description="Whether the family opted out of this client, or of every vendor.")] = (
        False
    )
    directory_block: Annotated[bool, Meta(description="Whether the family keeps its directory information back.")] = (
        False
    )
    other_enrollments: Annotated[
        tuple[EnrollmentDocument, ...], Meta(description="The pupil's school enrollments beside this one.")
    ] = ()


class CaseDocument(Document, frozen=True, kw_only=True):
    """One thing that must hold. It names a coordinate, a record, both, or a query."""

    name: Annotated[Line, Meta(description="What must hold, as a sentence.")]
    client: Annotated[str | None, _described("The client_id, if not the file's.", CLIENT)] = None
    purpose: Annotated[str | None, _described("The purpose, if not the file's.", WORD)] = None
    on: Annotated[date | None, Meta(description="The day, if not the file's, in the district's time zone.")] = None
    scopes: Annotated[
        tuple[Line, ...] | None, Meta(description="The scopes that the client holds. Absent: every scope.")
    ] = None
    coordinate: CoordinateText | None = None
    record: RecordDocument | None = None
    expect: Annotated[
        str | None,
        Meta(
            description="Of a coordinate: disclosed, initial, masked, or the reason. Of a record: in, out or withheld.",
            extra_json_schema={"enum": list(EXPECTED)},
        ),
    ] = None
    query: Annotated[Line | None, Meta(description="A GraphQL query.")] = None
    denied: Annotated[
        dict[str, Reason] | None,
        Meta(description="Of a query: every coordinate that is withheld, with its reason. {} is none."),
    ] = None


class CasesDocument(Document, frozen=True, kw_only=True):
    """What must hold of a district's grants, tried out by `homeroom policy test`. It grants nothing."""

    client: Annotated[str | None, _described("The client_id, for every case.", CLIENT)] = None
    purpose: Annotated[str | None, _described("The purpose, for every case.", WORD)] = None
    on: Annotated[date | None, Meta(description="The day, for every case, in the district's time zone.")] = None
    case: tuple[CaseDocument, ...] = ()


FORMS: dict[str, type[Document]] = {
    "grant": GrantDocument,
    "district": DistrictDocument,
    "state": StateDocument,
    "cases": CasesDocument,
}


def json_schema(form: str) -> dict[str, Any]:
    """The JSON Schema of one form of policy file, by its name in `FORMS`."""
    schema = msgspec.json.schema(FORMS[form])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Homeroom {form} policy",
        **schema,
    }


def schema_text(form: str) -> str:
    """One form's JSON Schema as it lies in a file, `schemas/FORM.json` in a folder of policies."""
    return json.dumps(json_schema(form), indent=2, ensure_ascii=False) + "\n"

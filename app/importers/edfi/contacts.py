"""Parents, and whose they are: a parent of two students is a contact of each."""

from app.importers.edfi.context import Context, Parent, cell
from app.importers.edfi.people import chosen, unlike_ssn
from app.importers.edfi.xml import Element
from app.importers.values import CellError, joined, key, text, truth
from app.spaces.staging import Part

CONTACT = Part(
    "contact",
    "Contact",
    (
        "contact_id",
        "first_name",
        "last_surname",
        "email",
        "telephone",
        "relationship",
        "legal_guardian",
        "lives_with",
        "restrictions",
    ),
    {"student": "StudentReference"},
    key="ParentReference",
    whole=True,
)
NOBODYS = "The parent is no student's contact, and was not stored."


def parent(context: Context, file: str, element: Element) -> None:
    """A `Parent`; kept until a student is said to be theirs."""
    found: str | None = None
    try:
        found = cell(element, key, "ParentUniqueStateId")
        if found is None:
            raise CellError("The parent has no unique id.", "ParentUniqueStateId")
        context.remember(element, found)
        unlike_ssn(context, found)
        if found in context.parents:
            raise CellError(
                "The same parent stands in an earlier record; this one was not taken.", "ParentUniqueStateId"
            )
        mail = chosen(element, "ElectronicMail", "EmailAddressType", "Home/Personal")
        phone = chosen(element, "Telephone", "PrimaryTelephoneNumberIndicator", "true")
        context.parents[found] = Parent(
            file,
            element.line,
            {
                "contact_id": found,
                "first_name": cell(element, text, "Name", "FirstName"),
                "last_surname": cell(element, text, "Name", "LastSurname"),
                "email": cell(mail, text, "EmailAddress") if mail else None,
                "telephone": cell(phone, text, "TelephoneNumber") if phone else None,
            },
        )
    except CellError as bad:
        if found is not None and found not in context.parents:
            context.refused.add(found)
        context.leave_out(file, element, bad)


def student_parent(context: Context, file: str, element: Element) -> None:
    """A `StudentParentAssociation`; one that comes before its parent waits."""
    if _whose(context, element) in context.parents:
        _take(context, file, element)
    else:
        context.early.append((file, element))


def settle_contacts(context: Context) -> None:
    """Take the associations that came before their parent, and say which parents are nobody's."""
    for file, element in context.early:
        _take(context, file, element)
    context.early.clear()
    for one in context.parents.values():
        if not one.named:
            context.sink.report.note(one.file, one.line, "ParentUniqueStateId", NOBODYS)
            context.sink.report.leave_out(one.file, "Parent", NOBODYS)
    context.parents.clear()


def _whose(context: Context, element: Element) -> str | None:
    return context.person(element, "ParentReference", "ParentIdentity", "ParentUniqueStateId")


def _take(context: Context, file: str, element: Element) -> None:
    def identity(one: Element) -> str | None:
        return joined(context.student(one), _whose(context, one))

    def values(one: Element, _: str) -> dict[str, object]:
        who = _whose(context, one)
        known = context.parents.get(who or "")
        if known is None:
            gone = (
                "Its parent's record was not taken." if who in context.refused else "Its parent is not in this import."
            )
            raise CellError(gone, "ParentReference")
        known.named = True
        return {
            **known.values,
            "relationship": cell(one, text, "Relation"),
            "legal_guardian": cell(one, truth, "LegalGuardian"),
            "lives_with": cell(one, truth, "LivesWith"),
            "restrictions": cell(one, text, "ContactRestrictions"),
            "student": context.student(one),
        }

    context.take(CONTACT, file, element, identity, values)

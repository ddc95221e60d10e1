"""What happened that students were disciplined for, and the discipline that each received."""

from app.importers.edfi.context import Context, cell, described
from app.importers.edfi.xml import Element
from app.importers.values import CellError, iso_date, joined, key, text
from app.spaces.staging import Part

INCIDENT = Part(
    "discipline_incident",
    "DisciplineIncident",
    ("incident_date", "behavior"),
    {"school": "SchoolReference"},
    key="IncidentIdentifier",
    whole=True,
)
ACTION = Part(
    "discipline_action",
    "DisciplineAction",
    ("action_taken", "start_date"),
    {
        "student": "StudentReference",
        "school": "ResponsibilitySchoolReference",
        "discipline_incident": "DisciplineIncidentReference",
    },
    key="DisciplineActionIdentifier",
    whole=True,
)
ONE_INCIDENT = "The graph has one incident for an action, the first; the others were left out."


def incident(context: Context, file: str, element: Element) -> None:
    """A `DisciplineIncident`."""

    def identity(one: Element) -> str | None:
        school = context.place(one, "SchoolReference")
        return context.remember(one, joined(school or "", cell(one, key, "IncidentIdentifier")))

    def values(one: Element, _: str) -> dict[str, object]:
        return {
            "incident_date": cell(one, iso_date, "IncidentDate"),
            "behavior": described(one, "Behaviors"),
            "school": context.place(one, "SchoolReference"),
        }

    context.take(INCIDENT, file, element, identity, values)


def action(context: Context, file: str, element: Element) -> None:
    """A `DisciplineAction`: a record for each student whom it names."""
    references = list(element.all("StudentReference"))
    if len(list(element.all("DisciplineIncidentReference"))) > 1:
        context.sink.report.note(file, element.line, "DisciplineIncidentReference", ONE_INCIDENT)
    for number, reference in enumerate(references or [None]):
        _action(context, file, element, reference, further=number > 0)


def _action(context: Context, file: str, element: Element, reference: Element | None, *, further: bool) -> None:
    def student() -> str | None:
        return None if reference is None else context.whom(reference, "StudentIdentity", "StudentUniqueStateId")

    def identity(one: Element) -> str | None:
        number, day = cell(one, key, "DisciplineActionIdentifier"), cell(one, text, "DisciplineDate")
        return joined(student(), number, day or "")

    def values(one: Element, _: str) -> dict[str, object]:
        return {
            "action_taken": described(one, "Disciplines"),
            "start_date": cell(one, iso_date, "DisciplineDate"),
            "student": student(),
            "school": context.place(one, "ResponsibilitySchoolReference", "AssignmentSchoolReference"),
            "discipline_incident": _incident(context, one),
        }

    context.take(ACTION, file, element, identity, values, further=further)


def _incident(context: Context, element: Element) -> str | None:
    """The incident that an action is for. Raises: CellError when it names one that cannot be found."""
    reference = element.find("DisciplineIncidentReference")
    if reference is None:
        return None
    identity = reference.find("DisciplineIncidentIdentity")
    found = context.ids.get(reference.attributes.get("ref", ""))
    if found is None and identity is not None:
        school = cell(identity, key, "StateOrganizationId")
        found = joined(school or "", cell(identity, key, "IncidentIdentifier"))
    if found is None:
        raise CellError("It names an incident that is not in this import.", "DisciplineIncidentReference")
    return found

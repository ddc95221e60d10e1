"""Staff and students."""

from app.importers.edfi.context import Context, cell
from app.importers.edfi.xml import Element
from app.importers.ssn import distinct, looks_like, sift
from app.importers.values import CellError, iso_date, joined, json_list, key, text, truth
from app.spaces.staging import Part

STAFF = Part(
    "staff",
    "Staff",
    ("staff_id", "first_name", "last_surname", "work_email", "classification", "birth_date"),
    key="StaffUniqueStateId",
    whole=True,
)
ASSIGNMENT = Part(
    "staff_section_association",
    "StaffSectionAssociation",
    ("classroom_position", "begin_date", "end_date"),
    {"staff": "TeacherReference", "section": "SectionReference"},
    key="SectionReference",
    whole=True,
)
STUDENT = Part(
    "student",
    "Student",
    (
        "student_unique_id",
        "local_id",
        "identification_system",
        "ssn",
        "login_id",
        "first_name",
        "middle_name",
        "last_surname",
        "preferred_first_name",
        "birth_date",
        "sex",
        "hispanic_latino_ethnicity",
        "races",
        "home_language",
        "email",
        "telephone",
        "address_street",
        "address_city",
        "address_postal_code",
        "english_learner",
        "economic_disadvantage",
        "school_food_service_eligibility",
        "homeless_status",
        "migrant_status",
        "primary_disability_type",
        "section504_status",
    ),
    key="StudentUniqueStateId",
    whole=True,
)


def staff(context: Context, file: str, element: Element) -> None:
    """A `Staff` or `Teacher`; kept until its assignment says what it is employed as."""
    context.sink.report.count("Staff")
    found: str | None = None
    try:
        found = unlike_ssn(context, context.remember(element, cell(element, key, "StaffUniqueStateId")))
        if found is None:
            raise CellError("The staff member has no unique id.", "StaffUniqueStateId")
        mail = chosen(element, "ElectronicMail", "EmailAddressType", "Work")
        values: dict[str, object] = {
            "staff_id": found,
            "first_name": cell(element, text, "Name", "FirstName"),
            "last_surname": cell(element, text, "Name", "LastSurname"),
            "work_email": cell(mail, text, "EmailAddress") if mail is not None else None,
            "birth_date": cell(element, iso_date, "BirthDate"),
        }
        if found in context.staff:
            context.sink.add(STAFF, file, element.line, found, values, element.name)  # the store reports it as repeated
        else:
            context.staff[found] = (file, element.line, element.name, values)
    except CellError as bad:
        context.sink.reject(STAFF, file, element.line, found, bad, element.name)


def staff_assignment(context: Context, file: str, element: Element) -> None:
    """A `StaffEducationOrgAssignmentAssociation`: what a member of staff is employed as; the first one counts."""
    try:
        who = context.person(element, "StaffReference", "StaffIdentity", "StaffUniqueStateId")
        role = cell(element, text, "StaffClassification")
        if who is None or role is None:
            raise CellError("The assignment does not say who is employed as what.", "StaffClassification")
        context.classifications.setdefault(who, role)
    except CellError as bad:
        context.pass_over(file, element, bad.column, bad.reason)


def settle_staff(context: Context) -> None:
    """Hand over the staff, each with its classification. The first of two rows comes first."""
    for found, (file, line, kind, values) in context.staff.items():
        values["classification"] = context.classifications.get(found)
        context.sink.add(STAFF, file, line, found, values, kind)
    context.staff.clear()


def teacher_section(context: Context, file: str, element: Element) -> None:
    """A `TeacherSectionAssociation` (or `StaffSectionAssociation`)."""

    def who(one: Element) -> str | None:
        return context.person(one, "TeacherReference", "StaffIdentity", "StaffUniqueStateId") or context.person(
            one, "StaffReference", "StaffIdentity", "StaffUniqueStateId"
        )

    def identity(one: Element) -> str | None:
        return joined(who(one), context.section(one), cell(one, text, "BeginDate") or "")

    def values(one: Element, _: str) -> dict[str, object]:
        return {
            "classroom_position": cell(one, text, "ClassroomPosition"),
            "begin_date": cell(one, iso_date, "BeginDate"),
            "end_date": cell(one, iso_date, "EndDate"),
            "staff": who(one),
            "section": context.section(one),
        }

    context.take(ASSIGNMENT, file, element, identity, values)


def student(context: Context, file: str, element: Element) -> None:
    """A `Student`, with everything that Ed-Fi 1.0 says of one."""
    codes = [
        (one.attributes.get("IdentificationSystem"), text(one.text("IdentificationCode")))
        for one in element.all("StudentIdentificationCode")
        if len(one.text("IdentificationCode") or "") < 100
    ]
    identifiers = sift(sorted(codes, key=lambda code: (code[0] or "").lower() not in {"local", "district", "school"}))
    login = text((element.text("LoginId") or "")[:1000])
    unlike = login if not looks_like(login, bare=True) else None
    ssns = distinct([*identifiers.ssns, *([login] if login and unlike is None else [])])
    context.sink.report.ssns_met += len(ssns)

    def values(one: Element, found: str) -> dict[str, object]:
        home = next(
            (a for kind in ("Home", "Physical", "Mailing") if (a := _typed(one, "Address", "AddressType", kind))),
            one.find("Address"),
        )
        phone = chosen(one, "Telephone", "PrimaryTelephoneNumberIndicator", "true")
        mail = chosen(one, "ElectronicMail", "EmailAddressType", "Organization")
        nickname = _typed(one, "OtherName", "OtherNameType", "Nickname")
        limited = cell(one, text, "LimitedEnglishProficiency")
        traits = {trait.strip().lower() for trait in one.texts("StudentCharacteristics", "Characteristic")}
        return {
            "student_unique_id": found,
            "local_id": key(identifiers.local_id),
            "identification_system": text(identifiers.system),
            "ssn": next(iter(ssns), None) if context.sink.keep_ssn else None,
            "login_id": key(unlike),
            "first_name": cell(one, text, "Name", "FirstName"),
            "middle_name": cell(one, text, "Name", "MiddleName"),
            "last_surname": cell(one, text, "Name", "LastSurname"),
            "preferred_first_name": cell(nickname, text, "FirstName") if nickname else None,
            "birth_date": cell(one, iso_date, "BirthData", "BirthDate"),
            "sex": cell(one, text, "Sex"),
            "hispanic_latino_ethnicity": cell(one, truth, "HispanicLatinoEthnicity"),
            "races": json_list(map(text, one.texts("Race", "RacialCategory"))),
            "home_language": cell(one, text, "HomeLanguages", "Language"),
            "email": cell(mail, text, "EmailAddress") if mail else None,
            "telephone": cell(phone, text, "TelephoneNumber") if phone else None,
            "address_street": cell(home, text, "StreetNumberName") if home else None,
            "address_city": cell(home, text, "City") if home else None,
            "address_postal_code": cell(home, text, "PostalCode") if home else None,
            "english_learner": None if limited is None else not limited.lower().startswith("not"),
            "economic_disadvantage": cell(one, truth, "EconomicDisadvantaged"),
            "school_food_service_eligibility": cell(one, text, "SchoolFoodServicesEligibility"),
            "homeless_status": True if "homeless" in traits else None,
            "migrant_status": True if traits & {"migratory", "migrant"} else None,
            "primary_disability_type": cell(one, text, "Disabilities", "Disability", "Disability")
            or cell(one, text, "Disabilities", "Disability"),
            "section504_status": True if one.find("Section504Disabilities", "Section504Disability") else None,
        }

    context.take(
        STUDENT,
        file,
        element,
        lambda one: unlike_ssn(context, context.remember(one, cell(one, key, "StudentUniqueStateId"))),
        values,
    )


def unlike_ssn(context: Context, found: str | None) -> str | None:
    """A person's key, unless it is a social security number that the district does not store."""
    if looks_like(found, bare=False):
        context.sink.report.ssns_met += 1
        if not context.sink.keep_ssn:
            raise CellError(
                "The key looks like a social security number, which this district does not store. Give another."
            )
    return found


def _typed(element: Element, name: str, attribute: str, value: str) -> Element | None:
    return next((one for one in element.all(name) if one.attributes.get(attribute, "").lower() == value.lower()), None)


def chosen(element: Element, name: str, attribute: str, value: str) -> Element | None:
    """The child whose attribute has that value, else the first."""
    return _typed(element, name, attribute, value) or element.find(name)

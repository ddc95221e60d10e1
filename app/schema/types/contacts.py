"""The parents, guardians and others whom a school may turn to about a student."""

from typing import TYPE_CHECKING, Annotated

import strawberry

from app.schema import ndpa, scopes
from app.schema.facts import Sensitivity
from app.schema.guard import guarded, own_key
from app.schema.types.node import Node

if TYPE_CHECKING:
    from app.schema.types.students import Student

PII = Sensitivity.PII
RESTRICTED = Sensitivity.RESTRICTED
SENSITIVE = Sensitivity.SENSITIVE

STUDENTS = strawberry.lazy("app.schema.types.students")


@strawberry.federation.type(
    keys=["sourceKey"],
    description="A person as the contact of one student. A parent of two students is a contact of each.",
)
class Contact(Node):
    """A person as the contact of one student. A parent of two students is a contact of each."""

    source_key: str = own_key()
    contact_id: strawberry.ID | None = guarded(
        scopes.CONTACT_RELATIONSHIP,
        ndpa.PARENT_ID,
        PII,
        "The person, by this client's own name for them: the same for each student whose contact they are.",
        edfi="contact.contactUniqueId",
        oneroster="user.sourcedId",
        filters=False,
    )
    first_name: str | None = guarded(
        scopes.CONTACT_NAME,
        ndpa.PARENT_NAME,
        PII,
        "The given name of the contact.",
        ceds="000115",
        edfi="contact.firstName",
        oneroster="user.givenName",
    )
    last_surname: str | None = guarded(
        scopes.CONTACT_NAME,
        ndpa.PARENT_NAME,
        PII,
        "The family name of the contact.",
        ceds="000172",
        edfi="contact.lastSurname",
        oneroster="user.familyName",
    )
    email: str | None = guarded(
        scopes.CONTACT_DETAILS,
        ndpa.PARENT_CONTACT_INFORMATION,
        PII,
        "The contact's e-mail address.",
        ceds="000088",
        edfi="contact.electronicMails.electronicMailAddress",
        oneroster="user.email",
    )
    telephone: str | None = guarded(
        scopes.CONTACT_DETAILS,
        ndpa.PARENT_CONTACT_INFORMATION,
        PII,
        "The contact's telephone number.",
        ceds="000279",
        edfi="contact.telephones.telephoneNumber",
        oneroster="user.phone",
    )
    relationship: str | None = guarded(
        scopes.CONTACT_RELATIONSHIP,
        ndpa.PARENT_ID,
        PII,
        "What the contact is to the student, such as mother or guardian.",
        ceds="000425",
        edfi="studentContactAssociation.relationDescriptor",
    )
    legal_guardian: bool | None = guarded(
        scopes.CONTACT_RELATIONSHIP,
        ndpa.PARENT_ID,
        SENSITIVE,
        "Whether the contact has custody of the student.",
        ceds="000329",
        edfi="studentContactAssociation.legalGuardian",
    )
    lives_with: bool | None = guarded(
        scopes.CONTACT_RELATIONSHIP,
        ndpa.PARENT_ID,
        SENSITIVE,
        "Whether the student lives with the contact.",
        ceds="001425",
        edfi="studentContactAssociation.livesWith",
    )
    restrictions: str | None = guarded(
        scopes.CONTACT_RELATIONSHIP,
        ndpa.PARENT_ID,
        RESTRICTED,
        "What keeps the contact from the student, such as a court order, in free text.",
        ceds="001424",
        edfi="studentContactAssociation.contactRestrictions",
        filters=False,
    )
    student: Annotated["Student", STUDENTS] | None = guarded(
        scopes.CONTACT_NAME, ndpa.PARENT_NAME, PII, "The student whose contact this is."
    )

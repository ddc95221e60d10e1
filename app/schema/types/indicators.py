"""What a school has to know of a student's needs: the part of a student that harms most when it leaves."""

import strawberry

from app.schema import ndpa, scopes
from app.schema.facts import Sensitivity
from app.schema.guard import guarded
from app.schema.types.node import Node

RESTRICTED = Sensitivity.RESTRICTED
SENSITIVE = Sensitivity.SENSITIVE


@strawberry.federation.type
class SpecialIndicators(Node):
    """The special indicators of a student. In the graph they are fields of `Student`, no type of their own."""

    english_learner: bool | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        SENSITIVE,
        "Whether the student is learning English.",
        ceds="000180",
        edfi="studentEducationOrganizationAssociation.limitedEnglishProficiencyDescriptor",
    )
    economic_disadvantage: bool | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        SENSITIVE,
        "Whether the student counts as economically disadvantaged.",
        ceds="000086",
        edfi="studentEducationOrganizationAssociation.studentCharacteristics.studentCharacteristicDescriptor",
    )
    school_food_service_eligibility: str | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        RESTRICTED,
        "Whether the student may have free or reduced-price meals.",
        ceds="000092",
        edfi="studentSchoolFoodServiceProgramAssociation.schoolFoodServiceProgramServices.schoolFoodServiceProgramServiceDescriptor",
    )
    homeless_status: bool | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        RESTRICTED,
        "Whether the student is homeless.",
        ceds="000149",
        edfi="studentHomelessProgramAssociation.homelessPrimaryNighttimeResidenceDescriptor",
    )
    migrant_status: bool | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        RESTRICTED,
        "Whether the student belongs to a family of migrant workers.",
        ceds="000189",
        edfi="studentEducationOrganizationAssociation.studentCharacteristics.studentCharacteristicDescriptor",
    )
    idea_indicator: bool | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        RESTRICTED,
        "Whether the student receives special education under IDEA.",
        ceds="000151",
        edfi="studentSpecialEducationProgramAssociation.ideaEligibility",
    )
    primary_disability_type: str | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        RESTRICTED,
        "The disability that most affects how the student learns.",
        ceds="000218",
        edfi="studentEducationOrganizationAssociation.disabilities.disabilityDescriptor",
    )
    section504_status: bool | None = guarded(
        scopes.STUDENT_SPECIAL_INDICATORS,
        ndpa.SPECIAL_INDICATOR,
        RESTRICTED,
        "Whether the student has accommodations under Section 504.",
        ceds="000249",
        edfi="studentEducationOrganizationAssociation.studentCharacteristics.studentCharacteristicDescriptor",
    )

"""The four queries, and what a response to each of them holds."""

EIGHT = "id studentUniqueId firstName middleName lastSurname birthDate sex email"
NESTED = """id firstName lastSurname
      sectionEnrollments {
        beginDate endDate
        section { title room period localCourseCode }
        grades { numericGradeEarned letterGradeEarned gradeType }
      }"""

Q1 = f"query One($id: ID!) {{ student(id: $id) {{ {EIGHT} }} }}"
Q2 = f"query Page {{ students(first: 100) {{ nodes {{ {NESTED} }} }} }}"
Q3 = f"query Roster {{ students(first: 10000) {{ nodes {{ {EIGHT} }} }} }}"
Q4 = f"query Everything {{ students(first: 10000) {{ nodes {{ {NESTED} }} }} }}"

DOCUMENTS = {"Q1": Q1, "Q2": Q2, "Q3": Q3, "Q4": Q4}

TITLES = {
    "Q1": "one student by id, 8 fields",
    "Q2": "100 students × enrollments × section, grades",
    "Q3": "all students (10,000 at most) × 8 fields",
    "Q4": "all students × enrollments × section, grades",
}

GRANTED: dict[str, list[str]] = {
    "Student": [
        *(
            "studentUniqueId",
            "firstName",
            "middleName",
            "lastSurname",
            "birthDate",
            "sex",
            "email",
            "sectionEnrollments",
        ),
    ],
    "SectionEnrollment": ["beginDate", "endDate", "section", "grades"],
    "Section": ["title", "room", "period", "localCourseCode"],
    "Grade": ["numericGradeEarned", "letterGradeEarned", "gradeType"],
}
"""Every coordinate that the queries ask for: what the benchmark's grant lists, and what the plain server permits."""

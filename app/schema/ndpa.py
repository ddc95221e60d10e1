"""Categories of data, in the words of the schedule of data of the National Data Privacy Agreement (NDPA)."""

NOT_STUDENT_DATA = "(not student data)"
"""What is no student's, and so in no schedule."""

ATTENDANCE = "Attendance"
CONDUCT = "Conduct"
DEMOGRAPHICS = "Demographics"
ENROLLMENT = "Enrollment"
PARENT_CONTACT_INFORMATION = "Parent/Guardian Contact Information"
PARENT_ID = "Parent/Guardian ID"
PARENT_NAME = "Parent/Guardian Name"
SCHEDULE = "Schedule"
SPECIAL_INDICATOR = "Special Indicator"
STUDENT_CONTACT_INFORMATION = "Student Contact Information"
STUDENT_IDENTIFIERS = "Student Identifiers"
STUDENT_IN_APP_PERFORMANCE = "Student In App Performance"
STUDENT_NAME = "Student Name"
STUDENT_PROGRAM_MEMBERSHIP = "Student Program Membership"
TRANSCRIPT = "Transcript"


def as_tag(category: str) -> str:
    """A category as a tag can hold it: `category/Student_In_App_Performance`. Spec: Federation, @tag."""
    return category.strip("()").replace(" ", "_")


def of_tag(tag: str) -> str:
    """The category that a tag holds."""
    category = tag.replace("_", " ")
    return NOT_STUDENT_DATA if category.lower() == NOT_STUDENT_DATA.strip("()") else category

"""Categories of data, in the words of the schedule of data of the National Data Privacy Agreement (NDPA)."""

NOT_STUDENT_DATA = "(not student data)"
"""What is no student's, and so in no schedule."""

DEMOGRAPHICS = "Demographics"
ENROLLMENT = "Enrollment"
SCHEDULE = "Schedule"
SPECIAL_INDICATOR = "Special Indicator"
STUDENT_CONTACT_INFORMATION = "Student Contact Information"
STUDENT_IDENTIFIERS = "Student Identifiers"
STUDENT_NAME = "Student Name"
TRANSCRIPT = "Transcript"

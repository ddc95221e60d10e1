"""Ed-Fi 1.0's own words for what the sandbox's districts record."""

GRADE_NAMES = {
    "KG": "Kindergarten",
    "01": "First grade",
    "02": "Second grade",
    "03": "Third grade",
    "04": "Fourth grade",
    "05": "Fifth grade",
    "06": "Sixth grade",
    "07": "Seventh grade",
    "08": "Eighth grade",
    "09": "Ninth grade",
    "10": "Tenth grade",
    "11": "Eleventh grade",
    "12": "Twelfth grade",
}

EXIT_TYPES = {
    "Transferred within the district": "Student is in a different public school in the same local education agency",
    "End of school year": "End of school year",
    "Graduated": "Graduated with regular, advanced, International Baccalaureate, or other type of diploma",
}

RACES = {
    "white": ("White",),
    "black": ("Black - African American",),
    "asian": ("Asian",),
    "native": ("American Indian - Alaskan Native",),
    "pacific": ("Native Hawaiian - Pacific Islander",),
    "two": ("White", "Asian"),
}

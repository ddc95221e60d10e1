"""The sandbox's districts: invented, complete, and the same for the same seed and day.

`generate` writes what a district's own systems would export, OneRoster 1.2 CSV for one and Ed-Fi 1.0 XML for the
other; both then come in by the importers that every district uses. Nobody here exists.

    profile      who the two districts are, and which grades each school teaches
    calendar     school years, semesters, grading periods
    people       names, families, students, staff
    courses      what is taught, in which grade
    district     the whole: placements, sections, who sits in which, marks
    daily        attendance, programs, discipline, transcripts, the gradebook
    counts       how many records of each type a district holds
    oneroster, edfi   the two ways of writing it down
    resources    what there is to learn with in those courses, for the learning registry
"""

from app.importers.sandbox.counts import counts
from app.importers.sandbox.district import District, build
from app.importers.sandbox.generate import Source, generate, generate_district
from app.importers.sandbox.profile import ALDER_CREEK, LOON_LAKE, PROFILES, Profile

__all__ = [
    "ALDER_CREEK",
    "LOON_LAKE",
    "PROFILES",
    "District",
    "Profile",
    "Source",
    "build",
    "counts",
    "generate",
    "generate_district",
]

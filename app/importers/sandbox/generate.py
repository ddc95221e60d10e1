"""Write the sandbox's districts as files that their importers read."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from app.importers.sandbox import edfi, oneroster
from app.importers.sandbox.counts import counts
from app.importers.sandbox.district import build
from app.importers.sandbox.profile import PROFILES, Form, Profile


@dataclass(frozen=True, slots=True)
class Source:
    """A generated export: whose it is, where it lies, and how many records of each type it holds."""

    profile: Profile
    path: Path
    form: Form
    counts: dict[str, int]
    ssns: int


def generate(folder: Path, *, students: int = 1200, seed: int = 2013, today: date) -> tuple[Source, Source]:
    """Write both districts: a folder of OneRoster CSV for the one, a zip of Ed-Fi XML for the other."""
    first, second = (
        generate_district(folder, profile=profile, students=students, seed=seed, today=today) for profile in PROFILES
    )
    return first, second


def generate_district(
    folder: Path,
    *,
    profile: Profile,
    form: Form | None = None,
    students: int = 1200,
    seed: int = 2013,
    today: date,
    years: int = 2,
    sections: int | None = None,
    enrollments: int = 10,
    grades: int = 2,
    complete: bool = False,
) -> Source:
    """Write one district, in its own form or in the one that is asked for. The figures are `build`'s.

    10,000 students with 60,000 section enrollments and 120,000 grades in 500 sections:
    `students=10_000, years=1, sections=500, enrollments=6, grades=2, complete=True`.
    """
    district = build(
        profile,
        students=students,
        seed=seed,
        today=today,
        years=years,
        sections=sections,
        enrollments=enrollments,
        grades=grades,
        complete=complete,
    )
    folder.mkdir(parents=True, exist_ok=True)
    name = profile.space.replace("/", "-")
    match form or profile.form:
        case "oneroster":
            path = folder / f"{name}-oneroster"
            oneroster.write(district, path)
            return Source(profile, path, "oneroster", counts(district, form or profile.form), 0)
        case "edfi":
            path = folder / f"{name}-edfi.zip"
            edfi.write(district, path)
            met = sum(student.ssn is not None for student in district.students)
            return Source(profile, path, "edfi", counts(district, form or profile.form), met)

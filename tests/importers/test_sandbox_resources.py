"""The sandbox's learning resources are for the sandbox's courses, are taken whole, and are nobody's."""

from pathlib import Path

from app.importers.sandbox import PROFILES
from app.importers.sandbox.courses import courses
from app.importers.sandbox.resources import PUBLIC_DOMAIN, write
from app.registry.reading import read
from app.registry.resource import Resource


def test_every_course_of_both_districts_has_resources(tmp_path: Path) -> None:
    file = tmp_path / "resources.ndjson"
    count = write(file)
    found = [row.read for row in read(file, None)]
    resources = [one for one in found if isinstance(one, Resource)]
    assert len(resources) == len(found) == count > 300
    aligned = {code for one in resources for code in one.courses}
    assert {course.sced for profile in PROFILES for course in courses(profile).values()} <= aligned
    assert {one.license for one in resources} == {PUBLIC_DOMAIN}
    assert all(one.url.startswith("https://resources.example/") and one.standards and one.uses for one in resources)
    assert len({one.id for one in resources}) == count


def test_the_same_seed_writes_the_same(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()

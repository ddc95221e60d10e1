"""The whole gateway beside `federate`: the roster out of a space, the gradebook a subgraph, a grant in force.

The queries have the shape of the others', and as many fields. The records are of a generated district, the values out
of its own SQLite; what a token, a grant, the admission of students and a durable ledger cost is in the figures.
"""

import contextlib
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from app.cli.composing import Schema, compose
from app.importers.sandbox.generate import generate_district
from app.importers.sandbox.profile import PROFILES
from app.schema.build import sdl
from app.settings import read_settings
from benchmarks.answers import ids
from benchmarks.federated import ENROLLMENTS, SDL, SECTIONS, STUDENTS
from benchmarks.installation import SPACE, Installation, command, grant, install
from benchmarks.servers import Running, running
from benchmarks.wire import graphql, line

CLIENT = "bench-joined"
ONE = """\
query One($id: ID!) {
  student(id: $id) { id firstName lastSurname studentUniqueId average missing lastSubmitted }
}"""
HUNDRED = """\
query Hundred {
  students(first: 100) {
    nodes {
      id firstName lastSurname average missing
      sectionEnrollments { beginDate section { id title period room assignments nextDue } }
    }
  }
}"""
EVERYBODY = "{ students(first: 100) { nodes { id studentUniqueId } } }"
FIELDS = {
    "Student": [
        "firstName",
        "lastSurname",
        "studentUniqueId",
        "sectionEnrollments",
        "average",
        "missing",
        "lastSubmitted",
    ],
    "SectionEnrollment": ["beginDate", "section"],
    "Section": ["title", "period", "room", "assignments", "nextDue"],
}
MAY = '\n[subgraphs.marks]\nmay_receive = ["Student.sourceKey", "Section.sourceKey"]\n'


def installed(folder: Path, marks: int) -> Installation:
    """An installation with a district of as many students, a gradebook at that port, and a grant of both."""
    roster = generate_district(
        folder / "roster",
        profile=PROFILES[0],
        form="oneroster",
        students=STUDENTS,
        seed=1,
        today=datetime.now(UTC).date(),
        years=1,
        sections=2 * SECTIONS,  # fewer would not do for the courses of so many grades
        enrollments=ENROLLMENTS,
        grades=0,
        complete=True,
    )
    found = install(folder / "home", roster.path, None)
    (found.home / "supergraph.graphql").write_text(
        compose([Schema("core", "", sdl()), Schema("marks", "", SDL["marks"])]), encoding="utf-8"
    )
    with found.config.open("a") as config:
        config.write(f'\n[spaces."{SPACE}".subgraphs.marks]\nurl = "http://127.0.0.1:{marks}/graphql"\n')
    found.config.write_text('supergraph = "supergraph.graphql"\n' + found.config.read_text())
    policies = read_settings(found.config).policies_folder / SPACE
    (policies / "grants" / f"{CLIENT}.toml").write_text(grant(CLIENT, FIELDS))
    with (policies / "district.toml").open("a") as district:
        district.write(MAY)
    said = command("--config", str(found.config), "client", "add", CLIENT)
    secret = re.search(r"client_secret\W+([A-Za-z0-9._~-]+)", said)
    assert secret is not None, said
    return Installation(found.home, found.port, {**found.secrets, CLIENT: secret[1]})


@contextlib.contextmanager
def serving(folder: Path, marks: int) -> Iterator[tuple[Running, dict[str, list[bytes]]]]:
    """That installation, served, with the requests of each query."""
    found = installed(folder, marks)
    with running("with a grant in force", found.serve(), found.port, folder) as server:
        token = found.token(CLIENT)
        with line(found.port) as connection:
            students = ids(connection.ask(graphql("/graphql", EVERYBODY, None, token)).body())
        one = [graphql("/graphql", ONE, {"id": name}, token) for name in students.values()]
        yield server, {"one": one, "hundred": [graphql("/graphql", HUNDRED, None, token)]}

"""Make one policy file's bytes into a grant, a district policy or a state policy, or say what is wrong and where.

Total: any bytes give a value or findings, never an exception.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from app.names import ClientId, Coordinate, Revision, is_client_id
from app.policy.documents import COORDINATE, NAME, WORD, DistrictDocument, Document, GrantDocument, StateDocument
from app.policy.model import (
    Agreement,
    Approval,
    Approvals,
    Denial,
    DistrictPolicy,
    Finding,
    Grant,
    OptOut,
    Rows,
    StatePolicy,
    Subgraph,
    Transform,
    stricter,
)
from app.toml.culprit import Problem, culprit
from app.toml.lines import Path, TooDeepError, dotted, find_lines, line_of

LARGEST = 262_144
"""The most bytes that a policy file may have."""

REFUSED = b"\0"
"""What the bytes of a file begin with that was not read at all; the reason follows. No TOML begins so."""

D = TypeVar("D", bound=Document)

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


class BrokenError(Exception):
    """A file that cannot be used, with everything that is wrong with it. Kept within the room."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__("broken")
        self.findings = tuple(findings)


class Source:
    """One file's text with the lines of its keys. Raises: BrokenError."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.revision = Revision(hashlib.sha256(data).hexdigest())
        if data.startswith(REFUSED):
            raise BrokenError([Finding(file, 1, "", data[1:].decode("utf-8", "replace"))])
        if len(data) > LARGEST:
            raise self.broken(1, f"The file has more than {LARGEST:,} bytes. Split it.")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise self.broken(line, "The file is not UTF-8. Save it as UTF-8.") from None
        try:
            self.lines = find_lines(text)
            self.tree: dict[str, Any] = tomllib.loads(text)
        except TooDeepError as error:
            raise self.broken(error.line, "Keys or values nest deeper than in any policy. Write them flat.") from None
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"at line (\d+)", str(error))
            line = int(place[1]) if place else text.count("\n") + 1
            raise self.broken(line, f"This is not TOML: {error}. Mend the line.") from None
        except (ValueError, RecursionError):
            raise self.broken(1, "A number is longer, or a value nests deeper, than can be read. Mend it.") from None
        if found := list(controls(self.tree)):
            raise BrokenError(self.finding(*problem) for problem in found)

    def broken(self, line: int, message: str) -> BrokenError:
        """A file that is wrong as a whole."""
        return BrokenError([Finding(self.file, line, "", message)])

    def finding(self, path: Path, message: str) -> Finding:
        """What is wrong at one key."""
        return Finding(self.file, line_of(self.lines, path), dotted(path), message)

    def document(self, form: type[D]) -> D:
        """The file in its form. Raises: BrokenError."""
        try:
            return msgspec.convert(self.tree, form)
        except msgspec.ValidationError as error:
            raise BrokenError([self.finding(*culprit(self.tree, form, str(error)))]) from None

    def keys(self) -> dict[str, int]:
        """The line of every key, dotted."""
        return {dotted(path): line for path, line in self.lines.items()}


def controls(tree: object) -> Iterator[Problem]:
    """Every text that holds a control character, or one that turns the direction of writing: they hide what is said."""
    waiting: list[tuple[Path, object]] = [((), tree)]
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, dict):
            waiting += [((*path, key), inner) for key, inner in value.items()]
            if any(CONTROL.search(key) for key in value):
                yield path, "A key holds a control character. Take it out."
        elif isinstance(value, list):
            waiting += [((*path, index), inner) for index, inner in enumerate(value)]
        elif isinstance(value, str) and CONTROL.search(value):
            yield path, "The text holds a control character. Take it out."


def parse_grant(file: str, data: bytes) -> Grant:
    """One grant file. Raises: BrokenError."""
    source = Source(file, data)
    document = source.document(GrantDocument)
    problems: list[Problem] = []
    if not is_client_id(document.client):
        problems.append(
            (("client",), "A client_id has letters, digits and `._~-`, 64 at most. Write the client's own.")
        )
    problems += words([(("purpose",), document.purpose)])
    problems += words([(("approval", n, "role"), a.role) for n, a in enumerate(document.approval)])
    fields: dict[Coordinate, Transform | None] = {}
    lines: dict[Coordinate, int] = {}
    for type_name, entries in document.fields.items():
        for index, entry in enumerate(entries):
            name, shown = (entry, None) if isinstance(entry, str) else (entry.field, entry.shown_as)
            path: Path = ("fields", type_name, index)
            if not re.fullmatch(NAME, type_name) or not re.fullmatch(NAME, name):
                problems.append((path, "A type has a name such as Student, a field one such as birthDate. Correct it."))
            coordinate = Coordinate(f"{type_name}.{name}")
            fields[coordinate] = stricter(shown, fields.get(coordinate))
            lines.setdefault(coordinate, line_of(source.lines, path))
    for n, approval in enumerate(document.approval):
        problems += coordinates(("approval", n, "covers"), approval.covers)
    refuse(source, problems)
    agreement = document.agreement
    return Grant(
        client=ClientId(document.client),
        purpose=document.purpose,
        statement=document.statement,
        basis=document.basis,
        not_before=document.not_before,
        not_after=document.not_after,
        review_by=document.review_by,
        agreement=Agreement(agreement.title, agreement.signed, agreement.schedule) if agreement else None,
        fields=fields,
        rows=Rows(**msgspec.structs.asdict(document.rows)),
        approvals=tuple(
            Approval(a.by, a.role, a.at, tuple(map(Coordinate, a.covers)), line_of(source.lines, ("approval", n)))
            for n, a in enumerate(document.approval)
        ),
        revision=source.revision,
        file=file,
        lines=lines,
        keys=source.keys(),
    )


def parse_district(file: str, data: bytes) -> DistrictPolicy:
    """One `district.toml`. Raises: BrokenError."""
    source = Source(file, data)
    document = source.document(DistrictDocument)
    problems: list[Problem] = []
    if not is_time_zone(document.time_zone):
        problems.append((("time_zone",), "There is no such time zone. Write an IANA name, such as America/Chicago."))
    problems += words([(("purposes", word), word) for word in document.purposes])
    problems += words([(("approvals", "sensitive", n), role) for n, role in enumerate(document.approvals.sensitive)])
    problems += words([(("approvals", "restricted", n), role) for n, role in enumerate(document.approvals.restricted)])
    for n, denial in enumerate(document.deny):
        problems += coordinates(("deny", n, "fields"), denial.fields)
    for name, subgraph in document.subgraphs.items():
        problems += coordinates(("subgraphs", name, "may_receive"), subgraph.may_receive)
    refuse(source, problems)
    return DistrictPolicy(
        name=document.name,
        time_zone=document.time_zone,
        purposes=dict(document.purposes),
        deny=denials(source, [(d.fields, d.reason, ()) for d in document.deny]),
        ssn=document.ssn,
        approvals=Approvals(document.approvals.sensitive, document.approvals.restricted),
        opt_out=OptOut(
            document.opt_out.vendors, document.opt_out.directory.applies_to, document.opt_out.directory.fields
        ),
        retention={name: years for name, years in document.retention.items() if years != "keep"},
        subgraphs={n: Subgraph(tuple(map(Coordinate, s.may_receive))) for n, s in document.subgraphs.items()},
        revision=source.revision,
        file=file,
        keys=source.keys(),
    )


def parse_state(file: str, data: bytes) -> StatePolicy:
    """One `state.toml`. Raises: BrokenError."""
    source = Source(file, data)
    document = source.document(StateDocument)
    refuse(source, [p for n, d in enumerate(document.deny) for p in coordinates(("deny", n, "fields"), d.fields)])
    return StatePolicy(
        deny=denials(source, [(d.fields, d.reason, d.unless_basis) for d in document.deny]),
        max_days=document.max_days,
        revision=source.revision,
        file=file,
        keys=source.keys(),
    )


def denials(source: Source, written: Iterable[tuple[tuple[str, ...], str, tuple[Any, ...]]]) -> tuple[Denial, ...]:
    """Denials with their lines."""
    return tuple(
        Denial(tuple(map(Coordinate, fields)), reason, bases, line_of(source.lines, ("deny", n)))
        for n, (fields, reason, bases) in enumerate(written)
    )


def refuse(source: Source, problems: list[Problem]) -> None:
    """Raises: BrokenError, if there is any problem."""
    if problems:
        raise BrokenError(source.finding(*problem) for problem in problems)


def words(written: Iterable[Problem]) -> Iterator[Problem]:
    """The words among these that are none: purposes and roles travel in tokens and commands."""
    for path, text in written:
        if not re.fullmatch(WORD, text):
            yield path, "This is a word in lower case, with digits and hyphens, such as instruction. Correct it."


def coordinates(path: Path, written: Iterable[str]) -> Iterator[Problem]:
    """The coordinates among these that are none."""
    for index, text in enumerate(written):
        if not re.fullmatch(COORDINATE, text):
            yield (*path, index), "A coordinate is `Type.field`, such as Student.birthDate. Correct it."


def is_time_zone(name: str) -> bool:
    """Whether the machine's time-zone data has the name."""
    if not re.fullmatch(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*", name):
        return False
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True

"""Reading policy files: every error with file, line and key; the last good revision stands in for a broken one."""

import hashlib
import os
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import PolicyError
from app.names import Coordinate
from app.policy import reading
from app.policy.decide import Deny, Permit, Reason, decide
from app.policy.model import Finding, Rows, Transform
from app.policy.parse import LARGEST
from app.policy.reading import read_folder, read_policies
from tests.policy.texts import (
    DISTRICT,
    DISTRICT_FILE,
    GRANT,
    GRANT_FILE,
    SPACE,
    STATE,
    STATE_FILE,
    ask,
    caller,
    files,
)


def only_finding(found: tuple[Finding, ...]) -> Finding:
    (finding,) = found
    return finding


def test_a_good_set_has_everything_and_no_findings() -> None:
    policies = read_policies(files())
    assert policies.findings == ()
    assert policies.files == files()
    policy = policies.spaces[SPACE]
    assert policy.state is not None
    assert policy.state.max_days == 400
    assert policy.district is not None
    assert policy.district.time_zone == "America/Chicago"
    (grant,) = policy.grants
    assert grant.not_after == date(2027, 6, 30)
    assert grant.fields[Coordinate("Student.lastSurname")] is Transform.INITIAL
    assert grant.rows == Rows()


def test_a_revision_is_the_hash_of_the_files_bytes() -> None:
    (grant,) = read_policies(files()).spaces[SPACE].grants
    assert grant.revision == hashlib.sha256(GRANT.encode()).hexdigest()


def test_policies_can_be_kept_in_sets() -> None:
    one, other = (read_policies(files()) for _ in range(2))
    assert {one} == {other}
    assert {*one.spaces[SPACE].grants} == {*other.spaces[SPACE].grants}
    assert len({one.spaces[SPACE].state, other.spaces[SPACE].state}) == 1
    assert len({one.spaces[SPACE].district, other.spaces[SPACE].district}) == 1


def test_a_coordinate_knows_its_line() -> None:
    (grant,) = read_policies(files()).spaces[SPACE].grants
    assert GRANT.splitlines()[grant.lines[Coordinate("Student.races")] - 1].strip() == '"races",'
    assert GRANT.splitlines()[grant.line("not_after") - 1].startswith("not_after")
    assert grant.line("rows.schools") == 1


GRANT_ERRORS = [
    ('basis = "school-official"', 'bases = "x"', "bases", 4, "no such key"),
    ('basis = "school-official"\n', "", "basis", 1, "missing"),
    ('basis = "school-official"', 'basis = "because"', "basis", 4, "because"),
    ('client = "readwell"', 'client = "read well"', "client", 1, "client_id"),
    ('client = "readwell"', 'client = "readwell\\n"', "client", 1, "client_id"),
    ('purpose = "instruction"', 'purpose = "In struction"', "purpose", 2, "word"),
    ("not_after = 2027-06-30", 'not_after = "soon"', "not_after", 6, "Invalid"),
    ("not_after = 2027-06-30", "not_after = 2027-06-30T00:00:00Z", "not_after", 6, "date"),
    ('  "races",', "  7,", "fields.Student[3]", 18, "table"),
    ('  "races",', '  { field = "races", as = "hidden" },', "fields.Student[3].as", 18, "hidden"),
    ('  "races",', '  { field = "races" },', "fields.Student[3].as", 18, "missing"),
    ('  "races",', '  "ra ces",', "fields.Student[3]", 18, "birthDate"),
    ('SchoolEnrollment = ["gradeLevel"]', "SchoolEnrollment = 3", "fields.SchoolEnrollment", 20, "array"),
    ('role = "steward"', 'role = "The Steward"', "approval[0].role", 24, "word"),
    ("at = 2026-07-21T15:02:11Z", "at = 2026-07-21T15:02:11", "approval[1].at", 31, "timezone"),
    ('covers = ["Student.races"]', 'covers = ["Student"]', "approval[0].covers[0]", 26, "Type.field"),
    ('by = "c.obi@gbisd.example"', 'by = "c.obi\\u202e"', "approval[1].by", 29, "control"),
    ('title = "NDPA v1"', '"ti\\u0007tle" = "NDPA v1"', "agreement", 8, "control"),
    ("[fields]", "[fields", "", 13, "not TOML"),
    ("not_after = 2027-06-30", f"not_after = {'9' * 5000}", "", 1, "longer"),
    ("not_after = 2027-06-30", "not_after = " + "[" * 5000, "", 6, "nest"),
]


@pytest.mark.parametrize(("old", "new", "key", "line", "word"), GRANT_ERRORS)
def test_an_error_in_a_grant_names_file_line_and_key(old: str, new: str, key: str, line: int, word: str) -> None:
    assert old in GRANT
    found = read_policies(files(grant=GRANT.replace(old, new))).findings
    assert (found[0].file, found[0].line, found[0].key) == (GRANT_FILE, line, key)
    assert word in found[0].message


DISTRICT_ERRORS = [
    ("America/Chicago", "America/Chicag", "time_zone", 2),
    ("America/Chicago", "America", "time_zone", 2),
    ("America/Chicago", "../../etc/passwd", "time_zone", 2),
    ("instruction = ", "Instruction = ", "purposes.Instruction", 3),
    ('"Student.ssn"', '"Student.*"', "deny[0].fields[0]", 4),
]


@pytest.mark.parametrize(("old", "new", "key", "line"), DISTRICT_ERRORS)
def test_an_error_in_a_district_names_file_line_and_key(old: str, new: str, key: str, line: int) -> None:
    finding = only_finding(read_policies(files(district=DISTRICT.replace(old, new))).findings)
    assert (finding.file, finding.line, finding.key) == (DISTRICT_FILE, line, key)


DISTRICT_TABLES = [
    (
        '[approvals]\nsensitive = ["Steward"]\nrestricted = ["x", "Y"]',
        ["approvals.restricted[1]", "approvals.sensitive[0]"],
    ),
    ('[retention]\nGrade = 7\nStaff = "x"\n', ["retention.Staff"]),
    ("[retention]\nGrade = -1\n", ["retention.Grade"]),
    ('[subgraphs.a]\n[subgraphs.lms]\nmay_receive = ["x"]\n', ["subgraphs.lms.may_receive[0]"]),
    ("[subgraphs.a]\n[subgraphs.lms]\nmay_receive = [3]\n", ["subgraphs.lms.may_receive[0]"]),
    ('[opt_out]\nvendors = "ignore"\n', ["opt_out.vendors"]),
]


@pytest.mark.parametrize(("table", "keys"), DISTRICT_TABLES)
def test_an_error_in_a_free_table_names_its_own_key(table: str, keys: list[str]) -> None:
    found = read_policies(files(district=DISTRICT + table)).findings
    assert sorted(one.key for one in found) == keys
    assert all(one.line > 4 for one in found)


def test_a_district_has_safe_defaults() -> None:
    district = read_policies(files()).spaces[SPACE].district
    assert district is not None
    assert district.ssn == "leave-out"
    assert district.approvals.restricted == ("steward", "privacy-officer")
    assert district.opt_out.vendors == "withhold-record"
    assert district.retention == {}


def test_a_district_says_what_is_kept_and_sent() -> None:
    more = '[retention]\nGrade = 7\nStaff = "keep"\n[subgraphs.lms]\nmay_receive = ["Student.sourceKey"]\n'
    district = read_policies(files(district=DISTRICT + more)).spaces[SPACE].district
    assert district is not None
    assert district.retention == {"Grade": 7}
    assert district.subgraphs["lms"].may_receive == ("Student.sourceKey",)


def test_the_stricter_of_two_transforms_wins() -> None:
    grant = GRANT.replace(
        '"firstName",', '{ field = "firstName", as = "masked" }, { field = "firstName", as = "initial" },'
    )
    (read,) = read_policies(files(grant=grant)).spaces[SPACE].grants
    assert read.fields[Coordinate("Student.firstName")] is Transform.MASKED
    (read,) = read_policies(files(grant=GRANT.replace('"races"', '"lastSurname"'))).spaces[SPACE].grants
    assert read.fields[Coordinate("Student.lastSurname")] is Transform.INITIAL


def test_bytes_that_are_not_utf_8_are_told_with_their_line() -> None:
    broken = {**files(), GRANT_FILE: GRANT.encode().replace(b"NDPA", b"\xff")}
    assert (only_finding(read_policies(broken).findings).line, read_policies(broken).spaces[SPACE].grants) == (9, ())


def test_a_byte_order_mark_is_no_error() -> None:
    assert read_policies({**files(), GRANT_FILE: b"\xef\xbb\xbf" + GRANT.encode()}).findings == ()


def test_a_file_that_ends_too_early_is_told_at_its_last_line() -> None:
    finding = only_finding(read_policies(files(state='max_days = 1\nx = "')).findings)
    assert (finding.file, finding.line) == (STATE_FILE, 2)


def test_a_file_past_the_limit_is_not_read() -> None:
    assert "bytes" in only_finding(read_policies(files(grant=GRANT + "#" * LARGEST)).findings).message


def test_the_last_good_revision_stands_in_for_a_broken_file() -> None:
    before = files()
    after = read_policies(files(grant=GRANT + "client ="), before)
    assert only_finding(after.findings).file == GRANT_FILE
    assert after.spaces[SPACE].grants == read_policies(before).spaces[SPACE].grants
    assert after.files == before


def test_the_last_good_revision_is_never_in_force_past_its_own_end() -> None:
    policies = read_policies(files(grant="broken"), files())
    after = caller(policies, now=datetime(2027, 7, 1, 17, tzinfo=UTC))
    assert decide(ask("Student.firstName"), after) == Deny(Reason.GRANT_EXPIRED)
    assert decide(ask("Student.firstName"), caller(policies)) == Permit(None)


def test_a_last_good_revision_that_is_broken_too_does_not_stand_in() -> None:
    policies = read_policies(files(grant="broken"), {GRANT_FILE: b"broken too"})
    assert policies.spaces[SPACE].grants == ()
    assert GRANT_FILE not in policies.files


def test_a_file_that_was_removed_is_no_longer_in_force() -> None:
    fewer = {name: data for name, data in files().items() if name != GRANT_FILE}
    assert read_policies(fewer, files()).spaces[SPACE].grants == ()


@pytest.mark.parametrize("file", [STATE_FILE, DISTRICT_FILE])
def test_under_a_policy_that_cannot_be_read_nothing_is_granted(file: str) -> None:
    policies = read_policies({**files(), file: b"="})
    assert policies.spaces[SPACE].grants == ()
    assert decide(ask("Student.firstName"), caller(policies)) == Deny(Reason.NO_GRANT)


def test_a_state_without_a_policy_sets_no_ceiling() -> None:
    policies = read_policies({name: data for name, data in files().items() if name != STATE_FILE})
    assert decide(ask("Student.firstName"), caller(policies)) == Permit(None)


def test_a_grant_without_a_district_policy_is_reported_and_not_in_force() -> None:
    policies = read_policies({name: data for name, data in files().items() if name != DISTRICT_FILE})
    assert only_finding(policies.findings).file == DISTRICT_FILE
    assert decide(ask("Student.firstName"), caller(policies)) == Deny(Reason.NO_GRANT)


@pytest.mark.parametrize("name", ["state.toml", "TX/state.toml", "tx/Grand Bend/district.toml", "tx/a/grants/x/y.toml"])
def test_a_file_where_no_policy_lies_is_reported(name: str) -> None:
    assert only_finding(read_policies({name: STATE.encode()}).findings).file == name


places = st.sampled_from([STATE_FILE, DISTRICT_FILE, GRANT_FILE, "x.toml"]) | st.text(max_size=30)


@given(st.dictionaries(places, st.binary(max_size=200), max_size=4), st.dictionaries(places, st.binary(max_size=200)))
def test_threat_24_any_bytes_give_a_set(given_files: dict[str, bytes], last_good: dict[str, bytes]) -> None:
    policies = read_policies(given_files, last_good)
    assert set(policies.files) <= set(given_files)
    assert all(one.line >= 1 for one in policies.findings)


@given(st.sampled_from([STATE_FILE, DISTRICT_FILE, GRANT_FILE]), st.data())
def test_threat_24_a_mutilated_file_is_read_or_reported(name: str, data: st.DataObject) -> None:
    text = files()[name]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(text))] * 2)))
    inserted = data.draw(
        st.binary(max_size=8) | st.sampled_from([b"1", b'"x"', b"[", b"{}", b"[[a]]", b"2026-01-01", b"inf"])
    )
    mutilated = text[:start] + inserted + text[end:]
    policies = read_policies({**files(), name: mutilated})
    assert (name in policies.files) != any(one.file == name for one in policies.findings)


def write(folder: Path, tree: dict[str, bytes]) -> None:
    for name, data in tree.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def test_a_folder_is_read_by_paths_within_it(tmp_path: Path) -> None:
    write(tmp_path, {**files(), "README.md": b"x", ".git/x.toml": b"x", "tx/.hidden.toml": b"x"})
    assert read_folder(tmp_path) == files()


def test_threat_24_a_link_out_of_the_folder_is_broken_not_absent(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "policies"
    write(outside, files())
    write(inside, {name: data for name, data in files().items() if name != STATE_FILE})
    (inside / STATE_FILE).symlink_to(outside / STATE_FILE)
    (inside / "ca").symlink_to(outside / "tx")
    policies = read_policies(read_folder(inside))
    assert [(one.file, "link" in one.message) for one in policies.findings] == [("ca", True), (STATE_FILE, True)]
    assert policies.spaces[SPACE].grants == ()


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    write(tmp_path / "..2026", files())
    (tmp_path / "tx").symlink_to("..2026/tx")
    assert read_folder(tmp_path) == files()


def test_threat_24_a_link_that_leads_nowhere_or_round_in_circles_is_reported(tmp_path: Path) -> None:
    (tmp_path / "tx").mkdir()
    (tmp_path / "tx/state.toml").symlink_to("nothing")
    (tmp_path / "tx/loop.toml").symlink_to("loop.toml")
    (tmp_path / "tx/again").symlink_to("../tx")
    (tmp_path / "tx/gone").symlink_to("nothing")
    found = read_policies(read_folder(tmp_path)).findings
    assert {one.file for one in found} >= {"tx/state.toml", "tx/loop.toml"}
    assert all("nowhere" in one.message for one in found)


def test_threat_24_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "tx").mkdir()
    os.mkfifo(tmp_path / "tx/state.toml")
    assert "no file" in only_finding(read_policies(read_folder(tmp_path)).findings).message


def test_a_file_is_read_no_further_than_the_limit(tmp_path: Path) -> None:
    write(tmp_path, {STATE_FILE: b"#" * (LARGEST + 100)})
    assert len(read_folder(tmp_path)[STATE_FILE]) == LARGEST + 1
    assert "bytes" in only_finding(read_policies(read_folder(tmp_path)).findings).message


def test_threat_24_a_name_that_is_not_utf_8_is_reported_readably(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff.toml")).write_bytes(b"")
    assert only_finding(read_policies(read_folder(tmp_path)).findings).file == "\\xff.toml"


def test_a_file_or_folder_that_may_not_be_read_is_broken_not_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, files())
    listing, opening = os.listdir, os.open

    def listdir(folder: Path) -> list[str]:
        if folder.name == "grants":
            raise PermissionError
        return listing(folder)

    def open_(file: Path, flags: int) -> int:
        if file.name == "state.toml":
            raise PermissionError
        return opening(file, flags)

    # The tests may run as root, whom no mode keeps out.
    monkeypatch.setattr(reading.os, "listdir", listdir)
    monkeypatch.setattr(reading.os, "open", open_)
    policies = read_policies(read_folder(tmp_path))
    assert [one.file for one in policies.findings] == ["tx/grand-bend/grants", STATE_FILE]
    assert decide(ask("Student.firstName"), caller(policies)) == Deny(Reason.NO_GRANT)


def test_no_folder_and_too_many_files_are_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PolicyError, match="no such folder"):
        read_folder(tmp_path / "none")
    write(tmp_path, files())
    monkeypatch.setattr(reading, "MOST_FILES", 2)
    with pytest.raises(PolicyError, match="more than 2 files"):
        read_folder(tmp_path)


BASES = (
    "accreditation, audit-evaluation, child-welfare, consent, dependent-student, directory-information, financial-aid, "
    "health-or-safety, judicial-order, juvenile-justice, parent-or-student, school-official, studies, transfer"
)


@pytest.mark.parametrize(
    ("old", "new", "key", "words"),
    [
        ('"school-official"', '"because"', "basis", BASES),
        ('as = "initial"', 'as = "short"', "fields.Student[1].as", "initial, masked"),
        ("[fields]", '[rows]\nenrollment = "now"\n[fields]', "rows.enrollment", "active, any"),
    ],
)
def test_an_unknown_word_is_answered_with_those_that_there_are(old: str, new: str, key: str, words: str) -> None:
    (finding,) = read_policies(files(grant=GRANT.replace(old, new))).findings
    assert (finding.file, finding.key) == (GRANT_FILE, key)
    assert finding.message.endswith(f" here, but {words}. Write one of them.")


@pytest.mark.parametrize(
    ("more", "key", "words"),
    [
        ('[opt_out]\nvendors = "no"', "opt_out.vendors", "withhold-fields, withhold-record"),
        ('[opt_out.directory]\napplies_to = ["x"]', "opt_out.directory.applies_to[0]", BASES),
        ('[retention]\nGrade = "forever"', "retention.Grade", "keep, a number"),
    ],
)
def test_a_districts_unknown_words_are_answered_too(more: str, key: str, words: str) -> None:
    (finding,) = read_policies(files(district=f"{DISTRICT}\n{more}\n")).findings
    assert (finding.file, finding.key) == (DISTRICT_FILE, key)
    assert f" here, but {words}." in finding.message

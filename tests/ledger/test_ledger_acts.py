"""What a district did with its own records reads as a sentence, and belongs to whom it concerned."""

import pytest
from pyroaring import BitMap

from app.ledger.acts import OPT_OUTS, act, counted, sentence
from app.ledger.entry import OWN, Kind, Whose, prepare, read_entry
from app.names import DIRECTORY_INFORMATION
from tests.ledger.samples import NOON

GRADES = (Whose(("Grade",), BitMap([3, 8]), 1200), Whose(("Staff",), None, 2), Whose(("Section",), None, 1))


@pytest.mark.parametrize(
    ("kind", "concerned", "client", "said"),
    [
        (Kind.OPT_OUT, (Whose(("Student",), BitMap([3]), 1),), "", "Opted out of every vendor: 1 student."),
        (Kind.OPT_OUT, (Whose(("Student",), BitMap(), 2),), "mathly", "Opted out of mathly: 2 students."),
        (
            Kind.OPT_IN,
            (Whose(("Student",), BitMap([3]), 1),),
            DIRECTORY_INFORMATION,
            "No longer opted out of directory information: 1 student.",
        ),
        (Kind.RETENTION, GRADES, "", "Deleted at the end of their retention: 1,200 grades, 2 staff, 1 section."),
        (
            Kind.ERASURE,
            (Whose(("StudentGradebookEntry",), BitMap([3]), 2), Whose((OPT_OUTS,), BitMap([3]), 1)),
            "",
            "Erased, a student with everything of theirs: 2 student gradebook entries, 1 opt-out.",
        ),
        (Kind.READMISSION, (), "", "An erased student may be imported again."),
        (Kind.RETENTION, (), "", "Deleted at the end of their retention: nothing."),
    ],
)
def test_every_act_reads_as_a_sentence(kind: Kind, concerned: tuple[Whose, ...], client: str, said: str) -> None:
    entry = act(kind, NOON, concerned, client=client)
    assert sentence(entry) == said
    assert read_entry(prepare(entry).body) == entry


def test_an_answer_is_no_act() -> None:
    assert Kind.ANSWER not in OWN
    with pytest.raises(AssertionError):
        sentence(act(Kind.ANSWER, NOON, ()))


def test_an_act_is_found_by_whom_it_concerned() -> None:
    unlinked = prepare(act(Kind.RETENTION, NOON, GRADES))
    assert (unlinked.first_student, unlinked.last_student) == (3, 8)


def test_types_are_counted_as_a_person_counts_them() -> None:
    assert [counted("class", 1), counted("entry", 2), counted("grade", 0)] == ["class", "entries", "grades"]

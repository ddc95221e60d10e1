"""Where subgraphs name students: the space admits them before anything else is done with them.

Pure. A student whom a subgraph names, and whatever belongs to one, bears a mark that the space alone can tell; what it
does not tell it of is dropped, and nothing of it is sent anywhere else before.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from app.federation.positions import Field, Place, Position, Question
from app.federation.remote import OPEN, OWNED, ROW
from app.operation.model import When
from app.operation.vocabulary import Vocabulary

Way = tuple[tuple[str, frozenset[str]], ...]
"""The keys from the root to a place, each with the types that stand beside the one whose key it is."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Objects that go when the student that they belong to was not admitted."""

    way: Way
    others: frozenset[str]  # objects of these types stand there too, and belong to no student
    student: tuple[str, ...]  # the keys that lead from an object to its student; () for the student


def is_remote(question: Question, one: Field, core: str) -> bool:
    """Whether a field is not the space's to tell."""
    view = question.composed.views.get(one.place.type, {}).get(core)
    return view is None or one.name not in view.fields


def marks(
    question: Question, vocabulary: Vocabulary, core: str, *, directory: bool = False
) -> Iterator[tuple[Field, When]]:
    """What has to be known of students beside what the client asks: that they are admitted, and who they are.

    `directory`: also whether their families blocked directory information.
    """
    for position in [*question.positions]:
        owner = position.owner
        if owner is None or owner.when == frozenset():
            continue
        for place in [*position.places.values()]:
            if place.type in OWNED:
                asks = any(one.when and is_remote(question, one, core) for one in [*place.fields.values()])
                named = is_remote(question, owner, core)
                if named or asks:
                    mark = question.field(place, ROW, (), 1)
                    if named:
                        question.admitting[position] = mark
                    yield mark, owner.when
                    if directory:
                        yield question.field(place, OPEN, (), 1), owner.when
            elif vocabulary.students.get(place.type) and is_remote(question, owner, core) and not _of_student(position):
                path = vocabulary.students[place.type]
                yield from _belonging(question, place, path, owner.when, directory=directory)
    question.beside()


def _of_student(position: Position) -> bool:
    """Whether something stands below a student, and so belongs to that student."""
    owner = position.owner
    while owner is not None:
        if owner.place.type in OWNED:
            return True
        owner = owner.place.position.owner
    return False


def _belonging(
    question: Question, place: Place, path: tuple[str, ...], when: When, *, directory: bool
) -> Iterator[tuple[Field, When]]:
    """The student that an object belongs to has to be admitted before the object is."""
    start, at = place.position, place
    for name in path:
        step = question.field(at, name, (), 1)
        yield step, when
        if step.child is None:
            return
        at = step.child.places.get("Student") or next(iter(step.child.places.values()))
    if at.type == "Student":
        mark = question.field(at, ROW, (), 1)
        question.admitting[at.position] = mark
        question.admitting[start] = mark
        yield mark, when
        if directory:
            yield question.field(at, OPEN, (), 1), when


def drops(question: Question, position: Position, vocabulary: Vocabulary) -> Iterator[Drop]:
    """What goes with students that were not admitted: they themselves first, then what belongs to them."""
    if position not in question.admitting:
        return
    yield Drop(_way(position), frozenset(position.places) - OWNED, ())
    path: list[Field] = []
    owner = position.owner
    while owner is not None:
        path.insert(0, owner)
        place = owner.place
        # Not everything that the way leads by belongs to this student: what belongs to another says so by its own way.
        if place.position in question.admitting and vocabulary.students.get(place.type) == tuple(x.name for x in path):
            keys = tuple(one.key for one in path)
            yield Drop(_way(place.position), _others(place.position, place.type), keys)
        owner = place.position.owner


def _way(position: Position) -> Way:
    return tuple((one.key, _others(one.place.position, one.place.type)) for one in position.steps)


def _others(position: Position, type_name: str) -> frozenset[str]:
    return frozenset(position.places) - {type_name}

"""Directory information that families had blocked, of what subgraphs tell: null without an error, as the space's own.

Whose it is, the space alone tells: a student bears a hidden mark if their directory fields may be shown.
"""

from collections.abc import Mapping
from typing import Any

from app.federation.positions import Field, Position, Question
from app.federation.remote import OPEN, OWNED
from app.federation.tree import Tree
from app.names import Coordinate
from app.operation.decided import Authorized
from app.operation.vocabulary import Vocabulary
from app.policy.withholding import withholding


def blockable(authorized: Authorized, vocabulary: Vocabulary) -> frozenset[Coordinate]:
    """What subgraphs tell of students that this grant loses where a family blocked it."""
    sensitivity = withholding(authorized.authority).directory
    return frozenset(
        coordinate
        for coordinate in vocabulary.told_by
        if (fact := vocabulary.facts[coordinate]).sensitivity.value == sensitivity
        and (fact.type in OWNED or vocabulary.students.get(fact.type))
    )


def asks(question: Question, blocked: frozenset[Coordinate]) -> bool:
    """Whether a question asks for any of it."""
    return any(f"{one.place.type}.{one.name}" in blocked for one in question.of.values())


def block(
    tree: Tree, question: Question, blocked: frozenset[Coordinate], belonging: Mapping[str, tuple[str, ...]]
) -> None:
    """Take it out of an answer. INVARIANT: a student without the mark is one whose family blocked it."""
    asked = {*question.of.values()}

    def go(one: Any, position: Position, shown: bool) -> None:
        if isinstance(one, list):
            for each in one:
                go(each, position, shown)
        elif isinstance(one, dict):
            for name, place in position.places.items():
                if len(position.places) == 1 or one.get("__typename") in {name, None}:
                    here = _shown(one, name, belonging.get(name, ()), shown)
                    fields = [field for field in place.fields.values() if field in asked]
                    fade(one, fields, here)

    def fade(one: Tree, fields: list[Field], shown: bool) -> None:
        for field in fields:
            if not shown and f"{field.place.type}.{field.name}" in blocked:
                one[field.key] = None
            elif field.child is not None:
                go(one.get(field.key), field.child, shown)

    go(tree, question.root, True)


def _shown(one: Tree, type_name: str, student: tuple[str, ...], above: bool) -> bool:
    """Whether the directory fields of an object's student are shown."""
    if type_name in OWNED:
        return one.get(OPEN) is not None
    at: Any = one
    for key in student:
        at = at.get(key) if isinstance(at, dict) else None
    return at.get(OPEN) is not None if student and isinstance(at, dict) else above

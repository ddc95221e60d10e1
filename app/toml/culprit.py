"""Which key of a TOML file a complaint of msgspec is about, and the complaint as a sentence."""

import re
from typing import Any, TypeAlias

import msgspec

from app.toml.lines import Path

Problem: TypeAlias = tuple[Path, str]

STEP = re.compile(r"\.([^.\[\]`]+)|\[(\d+)\]|(\[\.\.\.\])")


def culprit(tree: dict[str, Any], form: type[Any], text: str) -> Problem:
    """The exact path that msgspec complains of, which names no key of a free table, and its complaint as a sentence."""
    message, _, place = text.partition(" - at `$")
    path: Path = ()
    here: Any = tree
    for step in STEP.finditer(place):
        name, index, free = step.groups()
        part: str | int = int(index) if index else name
        if free:
            said = place[: step.end()]
            part = next(key for key in here if complaint(only(tree, path, key), form).startswith(said))
        path, here = (*path, part), here[part]
    if unknown := re.fullmatch(r"Object contains unknown field `(.*)`", message, re.DOTALL):
        return (*path, unknown[1]), "There is no such key here. Correct its name, or take it out."
    if missing := re.fullmatch(r"Object missing required field `(.*)`", message):
        return (*path, missing[1]), "This key is missing. Add it."
    return path, f"{re.sub(r'(?<=[ `])object(?=`)', 'table', message)}. Correct the value."


def complaint(tree: Any, form: type[Any]) -> str:
    """Where msgspec finds fault with a tree; empty if nowhere."""
    try:
        msgspec.convert(tree, form)
    except msgspec.ValidationError as error:
        return str(error).partition(" - at `$")[2]
    return ""


def only(tree: Any, path: Path, key: str) -> Any:
    """A copy of the tree in which the table at a path has one key alone."""
    if not path:
        return {key: tree[key]}
    copy = tree.copy()
    copy[path[0]] = only(tree[path[0]], path[1:], key)
    return copy

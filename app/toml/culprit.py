"""Which key of a TOML file a complaint of msgspec is about, and the complaint as a sentence."""

import re
from collections.abc import Iterator, Sequence
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
    if unknown := re.fullmatch(r"Invalid enum value (.*)", message, re.DOTALL):
        return path, f"There is no word {unknown[1]} here, but {', '.join(allowed(form, path))}. Write one of them."
    told = re.sub(r"(?<=[ `])object(?=[` ])", "table", message).replace(" | null", "")  # TOML has no null
    return path, f"{told}. Correct the value."


def allowed(form: type[Any], path: Path) -> Sequence[str]:
    """The words that may stand at a path, as the form's JSON Schema has them."""
    schema = msgspec.json.schema(form)
    words: list[str] = []
    waiting: list[tuple[Any, Path]] = [(schema, path)]
    while waiting:
        here, rest = waiting.pop()
        if "$ref" in here:
            waiting.append((schema["$defs"][here["$ref"].rpartition("/")[2]], rest))
        elif "anyOf" in here:
            waiting += [(one, rest) for one in here["anyOf"]]
        elif rest and here.get("type") in {"array", "object"}:
            within = here.get("items") or here.get("properties", {}).get(rest[0]) or here["additionalProperties"]
            waiting.append((within, rest[1:]))
        elif not rest:
            words += ["a number"] if here.get("type") == "integer" else map(str, here.get("enum", ()))
    return words


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


def controls(tree: object, path: Path = ()) -> Iterator[Problem]:
    """Every text that holds a control character."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from controls(value, (*path, key))
    elif isinstance(tree, str) and re.search(r"[\x00-\x1f\x7f]", tree):
        yield path, "The text holds a control character. Take it out."

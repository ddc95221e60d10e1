"""A node of JSON-LD becomes a resource. Spec: LRMI 1.1, in schema.org's words.

Shape: the compact form, in which publishers write it. Contexts are not fetched: nothing is read but the file.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from app.registry import bounds
from app.registry.bounds import UnfitError, made
from app.registry.resource import Alignment, Paradata, Resource

Node = Mapping[str, Any]

_PREFIX = re.compile(r"^(?:schema:|lrmi:|sdo:|https?://schema\.org/|https?://purl\.org/dcx/lrmi-terms/)")
_ACTION = re.compile(r"(?<=[a-z])(?=[A-Z])")
_SUBJECT = "educationalSubject"
_LEVEL = "educationalLevel"
_TERMS = {"teaches": "teaches", "assesses": "assesses", "competencyRequired": "requires"}


def resource_of(node: object) -> Resource:
    """The resource that a node describes. Raises: UnfitError."""
    if not isinstance(node, Mapping):
        raise UnfitError(None, "This is no JSON object. A resource is one.")
    said = {_PREFIX.sub("", key): value for key, value in node.items()}
    alignments = [*_alignments(said)]
    return made(
        url=_url(said),
        name=_first("name", said.get("name")),
        description=_first("description", said.get("description")),
        subject=[*_texts("about", said.get("about")), *_targets(alignments, _SUBJECT)],
        levels=[*_texts(_LEVEL, said.get(_LEVEL)), *_targets(alignments, _LEVEL)],
        kind=_texts("learningResourceType", said.get("learningResourceType")),
        license_=_first("license", said.get("license"), "url", "@id", "name"),
        publisher=_first("publisher", said.get("publisher")),
        alignments=[one for one in alignments if not _is_plain(one)],
        paradata=_paradata(said.get("interactionStatistic")),
    )


def _url(said: Node) -> str | None:
    for key in ("url", "@id"):
        found = _first(key, said.get(key), "@id", "@value")
        if found:
            return found
    return None


def _is_plain(one: Alignment) -> bool:
    """Whether an alignment says no more than what subject or grade it is for."""
    return one.alignment_type in {_SUBJECT, _LEVEL} and one.educational_framework is None and one.target_url is None


def _targets(alignments: list[Alignment], kind: str) -> Iterator[str]:
    for one in alignments:
        # The code of a course is no subject's name.
        if one.alignment_type == kind and one.target_name and (one.educational_framework or "").upper() != "SCED":
            yield one.target_name


def _alignments(said: Node) -> Iterator[Alignment]:
    for node in _listed(said.get("educationalAlignment")):
        if not isinstance(node, Mapping):
            raise UnfitError("educationalAlignment", "This is no JSON object. An alignment is one.")
        plain = {_PREFIX.sub("", key): value for key, value in node.items()}
        yield _alignment(
            _first("alignmentType", plain.get("alignmentType")),
            _first("educationalFramework", plain.get("educationalFramework")),
            _first("targetName", plain.get("targetName")),
            _first("targetDescription", plain.get("targetDescription")),
            _first("targetUrl", plain.get("targetUrl"), "@id", "url"),
        )
    for key, kind in _TERMS.items():
        for term in _listed(said.get(key)):
            if isinstance(term, Mapping):
                plain = {_PREFIX.sub("", name): value for name, value in term.items()}
                yield _alignment(
                    kind,
                    _first(key, plain.get("inDefinedTermSet")),
                    _first(key, plain.get("termCode")) or _first(key, plain.get("name")),
                    _first(key, plain.get("description")),
                    _first(key, plain.get("url") or plain.get("@id")),
                )
            else:
                yield _alignment(kind, None, _first(key, term), None, None)


def _alignment(
    kind: str | None, framework: str | None, name: str | None, about: str | None, url: str | None
) -> Alignment:
    column = "educationalAlignment"
    if not name and not url:
        raise UnfitError(column, "An alignment names its target by targetName or targetUrl. Add one.")
    return Alignment(
        alignment_type=bounds.line(column, kind) if kind else None,
        educational_framework=bounds.line(column, framework) if framework else None,
        target_name=bounds.line(column, name) if name else None,
        target_description=bounds.prose(column, about) if about else None,
        target_url=bounds.address(column, url) if url else None,
    )


def _paradata(value: object) -> Iterator[Paradata]:
    column = "interactionStatistic"
    for node in _listed(value):
        if not isinstance(node, Mapping):
            raise UnfitError(column, "This is no JSON object. A count is an InteractionCounter.")
        plain = {_PREFIX.sub("", key): value for key, value in node.items()}
        kind = _first(column, plain.get("interactionType"), "@type", "@id")
        if not kind:
            raise UnfitError(column, "A count names what was done as interactionType. Add it.")
        yield Paradata(action(column, kind), bounds.count(column, plain.get("userInteractionCount")))


def action(column: str, kind: str) -> str:
    """What was done, in a word: `ViewAction` is `view`."""
    name = _PREFIX.sub("", kind).removesuffix("Action")
    return bounds.line(column, _ACTION.sub("-", name).lower(), 60)


def _listed(value: object) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _texts(column: str, value: object) -> Iterator[str]:
    for one in _listed(value):
        found = _first(column, one)
        if found:
            yield found


def _first(column: str, value: object, *keys: str) -> str | None:
    """The text of a value: plain, tagged with a language, or of a thing that has a name."""
    match value:
        case None:
            return None
        case str():
            return value
        case bool() | int() | float():
            return str(value)
        case list():
            return next((found for one in value if (found := _first(column, one, *keys))), None)
        case Mapping():
            plain = {_PREFIX.sub("", key): one for key, one in value.items()}
            for key in keys or ("@value", "name", "termCode", "@id", "url"):
                if isinstance(plain.get(key), str):
                    return str(plain[key])
            return None
    raise UnfitError(column, "This is neither a text nor a thing with a name. Write one of them.")

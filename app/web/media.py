"""Media types: what a caller sends and what it accepts. Spec: GraphQL over HTTP §4, §5.1; RFC 9110 §12.5.1."""

from functools import lru_cache

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"
_LONGEST = 1_000  # characters of a header that is worth reading


def is_json(content_type: str | None) -> bool:
    """Whether a request's body is JSON in UTF-8: `application/json`, with that charset or none."""
    if content_type is None:
        return False
    kind, *parameters = _parts(content_type)
    return kind == JSON and _is_utf8(parameters)


def answer_type(accept: str | None) -> str | None:
    """The media type to answer in, or None if the caller accepts none of ours.

    `application/json` unless the other is asked for by name and no less wanted.
    """
    if accept is None or not accept.strip():
        return JSON
    return _choose(accept) if len(accept) <= _LONGEST else None


@lru_cache(maxsize=256)
def _choose(accept: str) -> str | None:
    # For each of our types, the most specific range that it falls under decides. Spec: RFC 9110 §12.5.1.
    best: dict[str, tuple[int, float]] = {}
    for item in accept.split(","):
        kind, *parameters = _parts(item)
        if not _is_utf8(parameters):
            continue
        quality = _quality(parameters)
        for ours in (GRAPHQL, JSON):
            rank = {ours: 3, "application/*": 2, "*/*": 1}.get(kind, 0)
            if rank and rank > best.get(ours, (0, 0.0))[0]:
                best[ours] = (rank, quality)
    graphql, json = best.get(GRAPHQL, (0, 0.0)), best.get(JSON, (0, 0.0))
    if graphql[1] > json[1] or (graphql[1] == json[1] > 0 and graphql[0] == 3):
        return GRAPHQL
    return JSON if json[1] > 0 else None


def _parts(text: str) -> list[str]:
    return [part.strip().lower() for part in text.split(";")]


def _is_utf8(parameters: list[str]) -> bool:
    charsets = [part.partition("=")[2].strip('"') for part in parameters if part.startswith("charset=")]
    return all(charset in {"utf-8", "utf8"} for charset in charsets)


def _quality(parameters: list[str]) -> float:
    for part in parameters:
        if part.startswith("q="):
            try:
                return min(max(float(part[2:]), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0

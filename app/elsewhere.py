"""What `homeroom.toml` says of what is kept elsewhere: other systems, and spaces on their districts' own premises.

Each space names where it reaches a subgraph. A gateway names the premises of each space that its district keeps itself;
the installation on the premises names the one gateway that it trusts.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from app.addresses import host_of
from app.names import is_space_id
from app.toml.culprit import Problem
from app.toml.lines import Path


class FieldSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a field of a subgraph is, where its own schema does not say it."""

    scope: str
    category: str
    sensitivity: str


class SubgraphSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subgraph that the supergraph was composed of."""

    schema: str = ""
    fields: dict[str, FieldSettings] = {}


class EndpointSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one space reaches a subgraph, and what that may take."""

    url: str
    insecure: bool = False
    seconds: float = 10.0
    answer_bytes: int = 64_000_000
    at_once: int = 64
    batch: int = 1_000
    token_file: str = ""


class Premises(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a space is that its district keeps itself, and what asking there may take."""

    at: str
    insecure: bool = False
    seconds: float = 30.0
    at_once: int = 64
    subgraphs: dict[str, object] = {}  # read so that it can be said where they belong


class TrustedGateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway whose word on who asks is believed here."""

    issuer: str
    jwks: str
    insecure: bool = False


def endpoint_problems(place: Path, endpoints: Mapping[str, EndpointSettings]) -> Iterator[Problem]:
    """What a subgraph may take is bounded, and by more than nothing."""
    for name, one in endpoints.items():
        for key in ("seconds", "answer_bytes", "at_once", "batch"):
            if not 0 < getattr(one, key) <= 10**12:
                yield (*place, name, key), "What a subgraph may take is more than nothing, and bounded. Correct it."


def elsewhere_problems(
    premises: Mapping[str, Premises], gateway: TrustedGateway | None, kept_here: Collection[str]
) -> Iterator[Problem]:
    """What the types of these keys alone do not say."""
    for name, one in premises.items():
        if not is_space_id(name):
            yield (
                ("premises", name),
                "A space is named `state/district` in lower case, such as tx/grand-bend. Rename it.",
            )
        if name in kept_here:
            yield (
                ("premises", name),
                "The space is kept here as well. Name it under `spaces` or under `premises` alone.",
            )
        if not _is_site(one.at):
            yield (
                ("premises", name, "at"),
                "Premises are named by scheme and host alone, such as https://host. Correct it.",
            )
        if one.subgraphs:
            yield (
                ("premises", name, "subgraphs"),
                "The premises ask the space's subgraphs, and join what they tell. Name it there, under `spaces`.",
            )
        if not 0 < one.seconds <= 3_600:
            yield ("premises", name, "seconds"), "This is a time in seconds, up to an hour. Correct it."
        if one.at_once < 1:
            yield ("premises", name, "at_once"), "A limit is at least 1. Correct it."
    if gateway is not None and not _is_site(gateway.issuer):
        yield ("gateway", "issuer"), "A gateway's issuer is scheme and host alone, such as https://host. Correct it."
    if gateway is not None and not gateway.jwks:
        yield ("gateway", "jwks"), "The gateway's keys are in a file or at an address, https://…. Write one of them."


def _is_site(address: str) -> bool:
    scheme, _, rest = address.partition("://")
    return scheme in {"http", "https"} and bool(host_of(address)) and not set(rest) & set("/?#@")

"""What `homeroom.toml` says of spaces that districts keep on their own premises: where they are, and who may ask there.

A gateway names the premises of each such space; the installation on the premises names the one gateway that it trusts.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec

from app.addresses import host_of
from app.names import is_space_id
from app.toml.culprit import Problem


class Premises(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where a space is that its district keeps itself, and what asking there may take."""

    at: str
    insecure: bool = False
    seconds: float = 30.0
    at_once: int = 64


class TrustedGateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The gateway whose word on who asks is believed here."""

    issuer: str
    jwks: str
    insecure: bool = False


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

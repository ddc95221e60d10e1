"""The words that every room shares: identifiers, their shapes, and nothing that does work."""

import re
from typing import NewType

SpaceId = NewType("SpaceId", str)
"""`state/district`, e.g. `tx/grand-bend`: the protected data store of one education agency."""

ClientId = NewType("ClientId", str)
"""An OAuth2 client_id: one product of one vendor in one environment."""

Coordinate = NewType("Coordinate", str)
"""A schema coordinate, `Student.birthDate`: the unit that a district grants."""

Scope = NewType("Scope", str)
"""An OAuth2 scope, `student/name.read`: the coarse right that a token carries."""

Row = NewType("Row", int)
"""A stored record's number within its type and space; never reused, never shown."""

Revision = NewType("Revision", str)
"""The SHA-256 of a policy file's bytes, in hex."""

EVERY_VENDOR = ""
DIRECTORY_INFORMATION = "#directory"
"""Of what a family may opt out besides one client, in its place. INVARIANT: no client_id looks like these."""

SPACE_ID = re.compile(r"[a-z]{2}/[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
CLIENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,63}")


def is_space_id(text: str) -> bool:
    """Whether the text names a space: two letters of the state, a slash, the district in lower case."""
    return SPACE_ID.fullmatch(text) is not None


def is_client_id(text: str) -> bool:
    """Whether the text can be a client_id. Narrower than RFC 6749 so that Basic needs no decoding."""
    return CLIENT_ID.fullmatch(text) is not None

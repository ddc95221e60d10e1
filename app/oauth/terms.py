"""What tokens are given by, and the rules of asking for one: which space, which purpose.

Spec: RFC 8707, RFC 9068 §2.2.
"""

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.base import invalid_error_characters
from authlib.oauth2.rfc6749 import InvalidRequestError

from app.names import ClientId, SpaceId
from app.oauth.keys import Keys
from app.oauth.proof import LEEWAY
from app.oauth.tokens import Claims

PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class Terms:
    """What tokens are given by: the same for every request until something changes."""

    issuer: str
    keys: Keys
    seconds: int
    resources: Mapping[str, SpaceId]
    purposes: Callable[[SpaceId, ClientId], Collection[str]]

    def audiences(self) -> list[str]:
        """Whom a client's assertion may be meant for: the issuer, or the endpoint that it is posted to."""
        return [self.issuer, *(f"{self.issuer}/oauth/{endpoint}" for endpoint in ("token", "introspect", "revoke"))]

    def space(self, claims: Claims, now: float) -> SpaceId | None:
        """The space that a token of ours is for; None if it is for none that is here, or not for this moment."""
        timely = claims.iat - LEEWAY <= now < claims.exp
        return self.resources.get(claims.aud) if timely and claims.iss == self.issuer else None


class InvalidTargetError(OAuth2Error):  # type: ignore[misc] # Authlib has no types
    """The space that a token is asked for cannot be had. Spec: RFC 8707 §2."""

    error = "invalid_target"


def claims_for(terms: Terms, client: ClientId, scope: str, *, resource: str, purpose: str | None, now: float) -> Claims:
    """What a token says for one client, one space and one purpose. Raises: OAuth2Error."""
    space = terms.resources.get(resource)
    if space is None:
        raise InvalidTargetError(f"There is no such space. A resource is written {terms.issuer}/spaces/STATE/DISTRICT.")
    return Claims(
        iss=terms.issuer,
        aud=resource,
        sub=client,
        client_id=client,
        jti=secrets.token_urlsafe(16),
        iat=int(now),
        exp=int(now) + terms.seconds,
        scope=scope,
        purpose=choose_purpose(purpose, lambda: terms.purposes(space, client)),
    )


def choose_purpose(asked: str | None, granted: Callable[[], Collection[str]]) -> str:
    """The purpose asked for, or the only one that there is a grant for. Raises: OAuth2Error."""
    if asked is not None:
        if PURPOSE.fullmatch(asked) is None:
            raise InvalidRequestError("A purpose is one word, as the district writes it. Write it so.")
        return asked
    known = sorted(set(granted()))
    if not known:
        raise InvalidRequestError(
            "The client has no grant in this space, so name the purpose by the parameter `purpose`."
        )
    if len(known) > 1:
        words = ", ".join(word for word in known if not invalid_error_characters(word))
        raise InvalidRequestError(f"The client has grants for several purposes here. Name one by `purpose`: {words}.")
    return known[0]

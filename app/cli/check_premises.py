"""Whether a gateway and the premises that it asks would understand each other: both sides, looked at by `check`."""

from urllib.parse import urlsplit

from app.errors import ConfigurationError, Unavailable
from app.names import ClientId, SpaceId
from app.oauth.assertion import audience, state
from app.oauth.caller import Caller, Standing
from app.oauth.keys import read_keys
from app.settings import Settings
from app.signing_in import LOOPBACK
from app.subgraphs.gateway_keys import look_for_keys
from app.subgraphs.premises import Site, open_premises

BODY = b"check"


async def check_premises(settings: Settings, now: float) -> list[str]:
    """What would keep this gateway from its premises, or the trusted gateway from this installation."""
    try:
        return [*await _asking(settings, now), *await _asked(settings)]
    except ConfigurationError as error:
        return [error.message]


async def _asking(settings: Settings, now: float) -> list[str]:
    """Each of the premises is asked whether it would believe us."""
    found: list[str] = []
    async with open_premises(settings) as premises:
        for space, site in premises.items():
            try:
                status = await site.check(lambda site=site: _statement(settings, site, now), BODY)  # type: ignore[misc]
            except Unavailable as error:
                found.append(f"{error.message} Let `homeroom subgraph serve` run there, and be reached at {site.at}.")
                continue
            if status == 401:
                found.append(
                    f"{space}: The premises do not believe this gateway. Their homeroom.toml has to name, under "
                    f"[gateway], the issuer {settings.issuer} and the keys at {settings.issuer}/oauth/jwks; its own "
                    f"issuer has to be {site.at}; they have to keep this space; and the clocks of both have to agree."
                )
            elif status != 204:
                found.append(
                    f"{space}: What answers at {site.at} is no `homeroom subgraph serve` (status {status}). "
                    "Correct `at`."
                )
    return found


def _statement(settings: Settings, site: Site, now: float) -> str:
    keys = read_keys(settings.keys_folder, settings.oauth.token_seconds)
    nobody = Caller(ClientId("check"), SpaceId(site.space), "", frozenset(), "", now)
    where = audience(site.at, site.space)
    standing = Standing(frozenset(), suspended=False)
    return state(nobody, standing, issuer=settings.issuer, audience=where, request="", body=BODY, keys=keys, now=now)


async def _asked(settings: Settings) -> list[str]:
    """Whether this installation could be asked by the gateway that it trusts."""
    gateway = settings.gateway
    if gateway is None:
        return []
    found: list[str] = []
    why = await look_for_keys(settings, gateway)
    if why is not None:
        found.append(f"gateway.jwks: {why}")
    if not settings.spaces:
        found.append("gateway: A gateway is trusted, and no space is kept here. Add one with `homeroom space add`.")
    far = urlsplit(gateway.issuer).hostname not in LOOPBACK
    if far and urlsplit(settings.issuer).hostname in LOOPBACK:
        found.append(
            "issuer: The trusted gateway is on another machine, and this installation's issuer is loopback. Write the "
            "address at which the gateway reaches it; the gateway names the same."
        )
    return found

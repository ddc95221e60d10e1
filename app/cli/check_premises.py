"""Whether a gateway and the premises that it asks would understand each other: both sides, looked at by `check`."""

from contextlib import suppress
from functools import partial
from urllib.parse import urlsplit

from app import __version__
from app.errors import ConfigurationError, Unavailable
from app.federation.remotes import read_remotes
from app.names import ClientId, SpaceId
from app.oauth.assertion import Posted, audience, state
from app.oauth.caller import Caller, Standing
from app.oauth.keys import read_keys
from app.schema.build import graphql_schema, schema_digest
from app.settings import Settings
from app.signing_in import LOOPBACK
from app.subgraphs.gateway_keys import look_for_keys
from app.subgraphs.premises import CHECK, Site, open_premises
from app.subgraphs.replies import Checked, parsed

BODY = b"check"


async def check_premises(settings: Settings, now: float) -> tuple[list[str], list[str]]:
    """What would keep this gateway from its premises, or the trusted gateway from this installation; and remarks."""
    try:
        found, remarks = await _asking(settings, now)
        return [*found, *await _asked(settings)], remarks
    except ConfigurationError as error:
        return [error.message], []


async def _asking(settings: Settings, now: float) -> tuple[list[str], list[str]]:
    """Each of the premises is asked whether it would believe us, and whether its graph is ours."""
    found: list[str] = []
    remarks: list[str] = []
    if not settings.premises:
        return found, remarks
    remotes = read_remotes(settings)
    own = schema_digest(remotes.composed.schema if remotes is not None else graphql_schema())
    async with open_premises(settings) as premises:
        for space, site in premises.items():
            try:
                told = await site.tell(CHECK, partial(_statement, settings, site, now), BODY)
            except Unavailable as error:
                found.append(f"{error.message} Let `homeroom subgraph serve` run there, and be reached at {site.at}.")
                continue
            if told.status == 401:
                found.append(
                    f"{space}: The premises do not believe this gateway. Their homeroom.toml has to name, under "
                    f"[gateway], the issuer {settings.issuer} and the keys at {settings.issuer}/oauth/jwks; its own "
                    f"issuer has to be {site.at}; they have to keep this space; and the clocks of both have to agree."
                )
                continue
            served = None if told.status != 200 else _served(told.body)
            if served is None:
                found.append(
                    f"{space}: What answers at {site.at} is no `homeroom subgraph serve` (status {told.status}). "
                    "Correct `at`."
                )
            elif served.schema != own:
                remarks.append(
                    f"{space}: The premises present another schema (Homeroom {served.version}) than this gateway "
                    f"(Homeroom {__version__}). Vendors are answered by theirs, and can be given no scope that is "
                    "unknown here. Let both have the same version and the same supergraph."
                )
    return found, remarks


def _served(body: bytes) -> Checked | None:
    with suppress(Unavailable):
        return parsed(body, Checked)
    return None


def _statement(settings: Settings, site: Site, now: float, path: str) -> str:
    keys = read_keys(settings.keys_folder, settings.oauth.token_seconds)
    nobody = Caller(ClientId("check"), SpaceId(site.space), "", frozenset(), "", now)
    where, standing = audience(site.at, site.space), Standing(frozenset(), suspended=False)
    return state(nobody, standing, Posted(path, BODY), issuer=settings.issuer, audience=where, keys=keys, now=now)


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

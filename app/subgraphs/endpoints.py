"""Every space's subgraphs, as the configuration names them, with their connections."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager

from app.addresses import host_of
from app.elsewhere import EndpointSettings
from app.errors import ConfigurationError
from app.names import SpaceId
from app.settings import Settings
from app.subgraphs.endpoint import Bounds, Connections, Endpoint, SubgraphFailed, check_target


@asynccontextmanager
async def open_endpoints(
    settings: Settings, known: Collection[str]
) -> AsyncIterator[Mapping[SpaceId, Mapping[str, Endpoint]]]:
    """The endpoints by space and subgraph, open until the end. `known`: the subgraphs of the supergraph.

    Raises: ConfigurationError.
    """
    if not any(place.subgraphs for place in settings.spaces.values()):
        yield {}
        return
    file = str(settings.home / "homeroom.toml")
    async with Connections(_declared(settings)) as connections:
        found: dict[SpaceId, dict[str, Endpoint]] = {}
        for space, place in settings.spaces.items():
            for name, one in place.subgraphs.items():
                key = f"spaces.{space}.subgraphs.{name}"
                if name not in known:
                    raise ConfigurationError(
                        f"The supergraph has no subgraph {name}. Compose it in, or take the endpoint out.",
                        file=file,
                        key=key,
                    )
                check_target(one.url, file=file, key=f"{key}.url", insecure=one.insecure)
                bounds = Bounds(one.seconds, one.answer_bytes, one.at_once, one.batch)
                headers = _headers(settings, one, file, key)
                found.setdefault(SpaceId(space), {})[name] = Endpoint(name, one.url, connections, bounds, headers)
        yield found


def _declared(settings: Settings) -> Collection[str]:
    """The hosts that the configuration declares to be in a network of one's own."""
    endpoints = (one for place in settings.spaces.values() for one in place.subgraphs.values())
    return {host for one in endpoints if one.insecure and (host := host_of(one.url))}


async def silent(endpoint: Endpoint) -> str | None:
    """Why an endpoint does not answer; None if it does."""
    try:
        await endpoint.ask(b'{"query":"{ __typename }"}')
    except SubgraphFailed as error:
        return str(error)
    return None


def _headers(settings: Settings, one: EndpointSettings, file: str, key: str) -> dict[str, str]:
    """Homeroom's own credentials for a subgraph. A vendor's token is never passed on."""
    if not one.token_file:
        return {}
    try:
        token = (settings.home / one.token_file).read_text(encoding="ascii").strip()
        if not token.isprintable():
            raise ValueError  # a second line would be a header of its own
    except (OSError, ValueError):
        raise ConfigurationError(
            "The token's file cannot be read, or holds more than one line. Write the token into it, readable by its "
            "owner alone.",
            file=file,
            key=f"{key}.token_file",
        ) from None
    return {"authorization": f"Bearer {token}"}

"""`homeroom client` and `homeroom token`: the vendors' clients, and tokens by the operator's own hand."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.cli.main import Context
from app.errors import Unavailable, UsageError
from app.names import ClientId, Scope, SpaceId
from app.oauth import clients
from app.oauth.clients import State
from app.oauth.credentials import DAY, Credential, read_credentials
from app.requests.webhooks import register
from app.settings import Settings
from app.storage.engines import open_engine
from app.storage.migrate import migrate

T = TypeVar("T")


@click.group()
def client() -> None:
    """Vendors' clients: who may ask for a token at all."""


@client.command()
@click.argument("client_id")
@click.option("--name", help="The product's name, if it is not the id.")
@click.option(
    "--scope", "scopes", multiple=True, help="A scope to register; may be repeated. Left out: all unrestricted."
)
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The client's public keys, for private_key_jwt instead of a secret.",
)
@click.pass_obj
def add(context: Context, client_id: str, name: str | None, scopes: tuple[str, ...], jwks: Path | None) -> None:
    """Register a client, and print its secret once."""
    _check_ours(context.settings())
    registered = _scopes(scopes, context.settings())
    keys = None if jwks is None else _json(jwks)

    async def work(control: AsyncEngine) -> str | None:
        return await clients.add_client(control, client_id, name=name, scopes=registered, jwks=keys, now=time.time())

    secret = _run(context, work)
    facts: dict[str, object] = {"client_id": client_id}
    if secret is not None:
        facts["client_secret"] = secret
    facts["scopes"] = sorted(registered)
    _print(context, facts)


@client.command("list")
@click.pass_obj
def list_command(context: Context) -> None:
    """List every client, how it stands, what it proves itself by and what it is registered for."""

    async def work(control: AsyncEngine) -> tuple[tuple[clients.Client, ...], dict[ClientId, tuple[Credential, ...]]]:
        return await clients.list_clients(control), await read_credentials(control, time.time())

    found, credentials = _run(context, work)
    if context.json:
        listed = [_facts(one, credentials.get(one.id, ())) for one in found]
        click.echo(msgspec.json.format(msgspec.json.encode(listed)))
        return
    for one in found:
        click.echo(f"{one.id}  {one.state}  {one.name}")
        for credential in credentials.get(one.id, ()):
            click.echo(f"    {_sentence(credential)}")
        for scope in sorted(one.scopes):
            click.echo(f"    {scope}")
    if not found:
        click.echo("There is no client yet. Add one with `homeroom client add ID`.")


@client.command()
@click.argument("client_id")
@click.option(
    "--jwks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The client's new public keys, instead of a new secret.",
)
@click.option(
    "--overlap",
    type=click.IntRange(0, 90),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="How long what it had before still holds; 0 if that has leaked.",
)
@click.pass_obj
def rotate(context: Context, client_id: str, jwks: Path | None, overlap: int) -> None:
    """Give a client a new secret, or new keys; what it had before holds on for a while."""
    _check_ours(context.settings())
    keys, now = None if jwks is None else _json(jwks), time.time()

    async def work(control: AsyncEngine) -> str | None:
        return await clients.rotate(control, client_id, now=now, overlap=overlap * DAY, jwks=keys)

    secret = _run(context, work)
    facts: dict[str, object] = {"client_id": client_id}
    if secret is not None:
        facts["client_secret"] = secret
    _print(context, facts | {"former_until": _moment(now + overlap * DAY)})


@client.command()
@click.argument("client_id")
@click.pass_obj
def suspend(context: Context, client_id: str) -> None:
    """Deny a client every field, and new tokens, until it is resumed."""
    _set(context, client_id, State.SUSPENDED)


@client.command()
@click.argument("client_id")
@click.pass_obj
def resume(context: Context, client_id: str) -> None:
    """Let a suspended client go on."""
    _set(context, client_id, State.ACTIVE)


@client.command()
@click.argument("client_id")
@click.pass_obj
def revoke(context: Context, client_id: str) -> None:
    """Refuse a client and all its tokens, for good."""
    _set(context, client_id, State.REVOKED)


@client.command()
@click.argument("client_id")
@click.argument("url", required=False, default="")
@click.pass_obj
def webhook(context: Context, client_id: str, url: str) -> None:
    """Tell a client at URL when a district has decided on one of its requests; without URL, no more."""
    _run(context, lambda control: register(control, client_id, url, now=time.time()))
    _print(context, {"client_id": client_id, "webhook": url or "none"})


@click.command()
@click.argument("client_id", metavar="CLIENT")
@click.option("--space", required=True, help="The space that the token is for, such as tx/grand-bend.")
@click.option("--purpose", help="May be left out when the client has grants there for one purpose only.")
@click.pass_obj
def token(context: Context, client_id: str, space: str, purpose: str | None) -> None:
    """Print an access token for a client, signed here."""
    from app.oauth.authorization import Authorization
    from app.oauth.keys import read_keys
    from app.subgraphs.premises import open_premises, purposes_at

    settings = context.settings()
    if space not in settings.spaces and space not in settings.premises:
        raise UsageError(f"There is no space {space!a}. `homeroom space list` names them.")
    keys = read_keys(settings.keys_folder, settings.oauth.token_seconds)

    async def work(control: AsyncEngine) -> str:
        purposes = await _purposes(control, settings)
        authorization = Authorization(control, keys, settings, purposes=purposes, scopes=())
        await authorization.follow()
        async with open_premises(settings) as premises:
            authorization.elsewhere = purposes_at(premises, authorization)
            return await authorization.mint(client_id, SpaceId(space), purpose=purpose)

    minted = _run(context, work)
    if context.json:
        click.echo(msgspec.json.encode({"access_token": minted, "token_type": "Bearer"}))
    else:
        click.echo(minted)


async def _purposes(control: AsyncEngine, settings: Settings) -> Callable[[SpaceId, ClientId], Collection[str]]:
    """The purposes that clients have grants for: the files as they lie, last good ones in place of broken ones."""
    from app.policy.authority import purposes
    from app.policy.reading import read_folder, read_policies
    from app.storage.published import current

    published = await current(control)
    policies = read_policies(read_folder(settings.policies_folder), published.files)
    return lambda space, client_id: purposes(policies, space, client_id)


def _check_ours(settings: Settings) -> None:
    """Whether clients are registered here. Raises: UsageError."""
    if settings.gateway is not None:
        raise UsageError(
            f"Clients are those of the gateway {settings.gateway.issuer}, which presents them. A grant could "
            "not tell one of the same name here from them. Let it be registered there."
        )


def _scopes(asked: Collection[str], settings: Settings) -> frozenset[Scope]:
    from app.federation.remotes import read_vocabulary

    scopes = read_vocabulary(settings).scopes
    if unknown := sorted(set(asked) - set(scopes)):
        raise UsageError(f"There is no scope {unknown[0]!a}. The scopes are: {', '.join(scopes)}.")
    return frozenset(map(Scope, asked)) or frozenset(scope for scope, restricted in scopes.items() if not restricted)


def _json(file: Path) -> object:
    try:
        return msgspec.json.decode(file.read_bytes())
    except (OSError, msgspec.DecodeError):
        raise UsageError(f"{file} is not JSON. Name a file with a JWKS.") from None


def _set(context: Context, client_id: str, state: State) -> None:
    _run(context, lambda control: clients.set_state(control, client_id, state))
    _print(context, {"client_id": client_id, "state": state.value})


def _facts(found: clients.Client, credentials: Collection[Credential]) -> dict[str, object]:
    return {
        "client_id": found.id,
        "name": found.name,
        "state": found.state.value,
        "scopes": sorted(found.scopes),
        "created": _moment(found.created),
        "credentials": [
            {
                "kind": one.kind,
                "created": _moment(one.created),
                "expires": None if one.expires is None else _moment(one.expires),
                **({"kids": one.kids} if one.kids else {}),
            }
            for one in credentials
        ],
    }


def _sentence(credential: Credential) -> str:
    """One credential in a line."""
    what = f"keys {', '.join(credential.kids)}" if credential.kind == "keys" else "secret"
    until = "" if credential.expires is None else f", until {_moment(credential.expires)}"
    return f"{what} of {_moment(credential.created)}{until}"


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _print(context: Context, facts: dict[str, object]) -> None:
    if context.json:
        click.echo(msgspec.json.format(msgspec.json.encode(facts)))
        return
    for name, value in facts.items():
        click.echo(f"{name}: {' '.join(value) if isinstance(value, list) else value}")


def _run(context: Context, work: Callable[[AsyncEngine], Coroutine[Any, Any, T]]) -> T:
    """Do something with the control database. Raises: Unavailable."""

    async def run() -> T:
        async with _control(context.settings()) as control:
            return await work(control)

    try:
        return asyncio.run(run())
    except (SQLAlchemyError, OSError) as error:
        raise Unavailable(f"The control database does not answer ({type(error).__name__}). Check its URL.") from error


@asynccontextmanager
async def _control(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(settings.database_url(settings.control), pool_size=1)
    try:
        await migrate(engine, "control")
        yield engine
    finally:
        await engine.dispose()

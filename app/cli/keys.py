"""`homeroom keys`: the keys that access tokens are signed by."""

import math
import time
from datetime import UTC, datetime

import click
import msgspec

from app.cli.main import Context
from app.errors import ConfigurationError
from app.oauth.keys import OVERLAP, Keys, KeyState, add_key, drop_others, drop_over, read_keys
from app.settings import Settings

SECOND = 1.0
"""How long running servers may take to learn of a key."""


@click.group()
def keys() -> None:
    """Signing keys: what access tokens are signed by, and verified by."""


@keys.command()
@click.option("--now", "at_once", is_flag=True, help="A key has leaked: take every other one away, with its tokens.")
@click.pass_obj
def rotate(context: Context, at_once: bool) -> None:
    """Make a new signing key. Running servers follow by themselves.

    It is published at once and signs in a minute; the key before it verifies until its last token has ended. With
    --now it signs within two seconds, no other verifies any more, and clients must get new tokens.
    """
    settings = context.settings()
    folder, now = settings.keys_folder, time.time()
    gone = drop_over(_read(settings), now)
    try:
        kid = add_key(folder, now=now)
        if at_once:
            time.sleep(SECOND)  # so that every server knows the new key before it is the only one
            gone += drop_others(folder, kid)
    except OSError as error:
        raise ConfigurationError(
            f"The folder cannot be written ({type(error).__name__}). Rotate where it can be.",
            file=str(folder / "oauth"),
        ) from None
    signs = now + (SECOND if at_once else OVERLAP)
    if context.json:
        facts = {"kid": kid, "signs_from": _moment(signs), "taken_away": gone}
        click.echo(msgspec.json.format(msgspec.json.encode(facts)))
        return
    if at_once:
        click.echo(f"{kid} signs, and no other key verifies. Clients must get new tokens.")
    else:
        click.echo(f"{kid} is published, and signs from {_moment(signs)}.")
        click.echo("The key before it verifies until its last token has ended: see `homeroom keys list`.")
    for name in gone:
        click.echo(f"{name} is taken away.")


@keys.command("list")
@click.pass_obj
def list_command(context: Context) -> None:
    """List every key, and what it is for now."""
    found, now = _read(context.settings()), time.time()
    facts = [_facts(found, kid, now) for kid in found.by_kid]
    if context.json:
        click.echo(msgspec.json.format(msgspec.json.encode(facts)))
        return
    for fact in facts:
        click.echo(f"{fact['kid']}  {_SENTENCES[KeyState(str(fact['state']))].format(**fact)}")


_SENTENCES = {
    KeyState.NEXT: "is published, and signs from {signs_from}",
    KeyState.SIGNING: "signs",
    KeyState.FORMER: "verifies until {verifies_until}",
    KeyState.OVER: "is over; the next `homeroom keys rotate` takes it away",
}


def _facts(found: Keys, kid: str, now: float) -> dict[str, object]:
    made, ends = found.made[kid], found.ends[kid]
    return {
        "kid": kid,
        "state": found.state(kid, now).value,
        "made": _moment(made) if made else None,  # the first one's moment is not kept
        "signs_from": _moment(made + OVERLAP) if made else None,
        "verifies_until": None if ends == math.inf else _moment(ends),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).isoformat()


def _read(settings: Settings) -> Keys:
    return read_keys(settings.keys_folder, settings.oauth.token_seconds)

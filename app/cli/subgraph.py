"""`homeroom subgraph`: a district's own premises, which answer the gateway that the district trusts."""

from urllib.parse import urlsplit

import click

from app.cli.main import Context


@click.group()
def subgraph() -> None:
    """A district's own premises: its spaces for a gateway elsewhere, under its own policy and ledger."""


@subgraph.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any that is free.")
@click.option("--workers", type=click.IntRange(1, 256), default=1, show_default=True, help="How many processes.")
@click.pass_obj
def serve(context: Context, host: str, port: int, workers: int) -> None:
    """Answer the gateway that [gateway] names, and nobody else, until told to stop (SIGTERM, Ctrl+C)."""
    from app.cli.serve import LOOPBACK, bind, counted, serve_here, serve_together
    from app.premises_site import premises_site
    from app.subgraphs.gateway_keys import trusted

    settings = context.settings()
    gateway = trusted(settings)
    listener = bind(host, port)
    try:
        shown, bound = f"[{host}]" if ":" in host else host, listener.getsockname()[1]
        said = f"Homeroom serves {counted(settings)} on http://{shown}:{bound} to {gateway.issuer} alone"
        said += f", with {workers} workers" if workers > 1 else ""
        own = urlsplit(settings.issuer)
        if own.hostname in LOOPBACK and (own.port or 80) != bound:
            said += f"\nThe issuer in homeroom.toml names port {own.port or 80}: the gateway has to reach it there."
        if workers == 1:
            serve_here(premises_site, settings, listener, said)
        else:
            file = context.config or settings.home / "homeroom.toml"
            made = "app.premises_site:from_environment"
            serve_together(made, settings, listener, said, workers=workers, config=file)
    finally:
        listener.close()

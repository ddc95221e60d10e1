"""`homeroom federate`: any supergraph, without district policy, on loopback."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--supergraph",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The supergraph's file (join specification).",
)
@click.option("--port", type=click.IntRange(0, 65535), default=4000, show_default=True, help="0: any that is free.")
def federate(supergraph: Path, port: int) -> None:
    """Serve any supergraph, without district policy: for development and conformance, on loopback alone."""
    import uvicorn

    from app.cli.serve import bind
    from app.federate import federated
    from app.web.connection import Connection
    from app.web.log import CONFIGURATION

    application = federated(supergraph)
    listener = bind("127.0.0.1", port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/graphql"
    click.echo(
        f"{supergraph.name} on {address}\nNo district policy holds here: whoever reaches this port reads everything. "
        "Never with real students' data.",
        err=True,
    )
    config = uvicorn.Config(application, http=Connection, ws="none", access_log=False, log_config=CONFIGURATION)
    uvicorn.Server(config).run(sockets=[listener])

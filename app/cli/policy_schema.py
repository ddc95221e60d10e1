"""`homeroom policy schema`: the forms of policy files, for editors."""

import json
from pathlib import Path

import click

from app.errors import UsageError
from app.policy.documents import FORMS, json_schema, schema_text


@click.command("schema")
@click.argument("form", type=click.Choice(sorted(FORMS)), required=False)
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each to a file of this folder instead, such as policies/schemas.",
)
def schema_command(form: str | None, into: Path | None) -> None:
    """Print the JSON Schema of one FORM of policy file, or of all of them.

    An editor that knows TOML checks and completes a file whose first line names its form:
    #:schema ../../../schemas/grant.json
    """
    if into is not None:
        write(into, [form] if form else sorted(FORMS))
    elif form:
        click.echo(schema_text(form), nl=False)
    else:
        click.echo(json.dumps({name: json_schema(name) for name in sorted(FORMS)}, indent=2, ensure_ascii=False))


def write(folder: Path, forms: list[str]) -> None:
    """Write each form's schema to a file of its own. Raises: UsageError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for form in forms:
            (folder / f"{form}.json").write_text(schema_text(form), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{folder} cannot be written to ({error.strerror}). Name another folder.") from None

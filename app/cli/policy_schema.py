"""`homeroom policy schema`: the forms of policy files, for editors."""

import json

import click

from app.policy.documents import FORMS, json_schema


@click.command("schema")
@click.argument("form", type=click.Choice(sorted(FORMS)), required=False)
def schema_command(form: str | None) -> None:
    """Print the JSON Schema of one FORM of policy file, or of all three."""
    schemas = json_schema(form) if form else {name: json_schema(name) for name in sorted(FORMS)}
    click.echo(json.dumps(schemas, indent=2, ensure_ascii=False))

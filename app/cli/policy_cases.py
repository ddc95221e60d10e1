"""`homeroom policy test`: try out the cases that districts write beside their grants."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.main import Context
from app.cli.policy import as_json
from app.errors import RequestError, UsageError
from app.names import Coordinate
from app.policy.authority import Authority
from app.policy.cases import read_cases
from app.policy.decide import Reason
from app.policy.judge import Court, Verdict
from app.policy.model import Finding
from app.policy.reading import read_folder, read_policies
from app.settings import Settings

if TYPE_CHECKING:
    from app.federation.remotes import Remotes
    from app.operation.vocabulary import Vocabulary


@click.command("test")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.pass_context
def test_command(ctx: click.Context, folder: Path | None) -> None:
    """Try the cases in FOLDER/STATE/DISTRICT/tests/*.toml out on the grants beside them.

    FOLDER is the installation's folder of policies if left out. What subgraphs add is known by the installation's
    supergraph. Exit status 1 if a case does not hold, 3 if a file cannot be read.
    """
    context: Context = ctx.obj
    settings = context.settings() if folder is None or context.config.exists() else None
    files = read_folder(folder or context.settings().policies_folder)
    verdicts, findings = try_out(files, Graph(settings))
    if not verdicts and not findings:
        raise UsageError("There are no cases. Write them in STATE/DISTRICT/tests/NAME.toml.")
    failed = [verdict for verdict in verdicts if not verdict.holds]
    if context.json:
        told = {
            "cases": [judged(verdict) for verdict in verdicts],
            "findings": [as_json(finding) for finding in findings],
        }
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for finding in findings:
            click.echo(str(finding))
        for verdict in failed:
            click.echo(sentence(verdict))
        click.echo(f"{len(verdicts) - len(failed)} of {len(verdicts)} cases hold.", err=True)
    ctx.exit(3 if findings else 1 if failed else 0)


def try_out(files: Mapping[str, bytes], graph: "Graph") -> tuple[list[Verdict], tuple[Finding, ...]]:
    """Every case judged, and what is wrong with any file, which might else have decided otherwise."""
    from app.spaces.trial import stands

    policies = read_policies(files)
    cases, findings = read_cases(files)
    court = Court(policies, graph.vocabulary.facts, partial(stands, vocabulary=graph.vocabulary), graph.withheld)
    return [court.judge(case) for case in cases], tuple(sorted((*policies.findings, *findings)))


@dataclass(frozen=True)
class Graph:
    """The graph that cases are asked of: the core, with the subgraphs of the installation if there is one."""

    settings: Settings | None

    @cached_property
    def remotes(self) -> "Remotes | None":
        """What subgraphs add. Raises: ConfigurationError."""
        from app.federation.remotes import read_remotes

        return None if self.settings is None else read_remotes(self.settings)

    @property
    def vocabulary(self) -> "Vocabulary":
        """Everything that can be granted."""
        from app.operation.vocabulary import CORE_VOCABULARY

        return CORE_VOCABULARY if self.remotes is None else self.remotes.vocabulary

    def offered(self, space: str) -> frozenset[str]:
        """The subgraphs that a space names; all of them, of a space that the installation does not have."""
        if self.remotes is None or self.settings is None:
            return frozenset()
        place = self.settings.spaces.get(space)
        return frozenset(self.remotes.names.values()) if place is None else frozenset(place.subgraphs)

    def withheld(self, query: str, authority: Authority) -> Mapping[Coordinate, Reason] | str:
        """What an answer would deny of a query, or why there is no answer to it."""
        from app.operation.authorize import authorize
        from app.operation.parse import InvalidOperation, parse_operation
        from app.schema.build import graphql_schema
        from app.settings import Limits

        remotes = self.remotes
        schema = graphql_schema() if remotes is None else remotes.composed.schema
        offered = self.offered(authority.space)
        try:
            operation = parse_operation(query, None, schema, Limits())
            authorized = authorize(operation, authority, self.vocabulary, offered)
            denials = authorized.denials
            if remotes is not None and remotes.asked(authorized):
                denials = (*denials, *remotes.plan(authorized, offered, lambda _type, _key: "").denials)
        except InvalidOperation as invalid:
            return " ".join(str(error["message"]) for error in invalid.errors)
        except RequestError as refused:
            return refused.message
        return {denial.coordinate: denial.reason for denial in denials}


def sentence(verdict: Verdict) -> str:
    """What is wrong with a case that does not hold."""
    case, why = verdict.case, f" {verdict.why}" if verdict.why else ""
    return f"{case.file}:{case.line}: {case.name}: Expected {verdict.expected}; found {verdict.found}.{why}"


def judged(verdict: Verdict) -> dict[str, object]:
    """A verdict for machines."""
    case = verdict.case
    return {
        "file": case.file,
        "line": case.line,
        "name": case.name,
        "space": case.space,
        "client": case.client,
        "purpose": case.purpose,
        "holds": verdict.holds,
        "expected": verdict.expected,
        "found": verdict.found,
        "why": verdict.why,
    }

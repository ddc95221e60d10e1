"""Root fields that no source answers: the caller's own grant and requests, and introspection."""

from collections.abc import Mapping, Sequence

from graphql import GraphQLSchema

from app.federation.projection import project
from app.names import Coordinate
from app.operation.authorize import ask_for
from app.operation.decided import INTROSPECTION, Authorized, Root
from app.operation.introspection import introspect
from app.operation.model import holds
from app.policy.authority import Authority
from app.policy.decide import Permit, decide
from app.schema.facts import Fact


def local_values(
    authorized: Authorized,
    schema: GraphQLSchema,
    variables: dict[str, object],
    true: frozenset[str],
    requests: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """Their values, as the operation asks for them, by response key. `requests`: what the caller has asked for."""
    asked = [root for root in authorized.roots if isinstance(root, Root) and holds(root.when, true)]
    values: dict[str, object] = {}
    if any(root.field in INTROSPECTION for root in asked):
        values |= introspect(authorized.operation, schema, variables)
    for root in asked:
        if root.field == "grant":
            grant = own_grant(authorized.authority, authorized.facts)
            values[root.response_key] = None if grant is None else project(root.children["Grant"], grant, "Grant", true)
        elif root.field == "requests":
            below = root.children["AccessRequest"]
            values[root.response_key] = [project(below, one, "AccessRequest", true) for one in requests]
    return values


def own_grant(authority: Authority, facts: Mapping[Coordinate, Fact]) -> Mapping[str, object] | None:
    """What the district decided for this caller, with the state of each coordinate today."""
    grant = authority.grant
    if grant is None:
        return None
    return {
        "client": grant.client,
        "purpose": grant.purpose,
        "statement": grant.statement,
        "basis": grant.basis.value,
        "notBefore": grant.not_before.isoformat(),
        "notAfter": grant.not_after.isoformat(),
        "reviewBy": grant.review_by.isoformat() if grant.review_by else None,
        "revision": grant.revision,
        "coordinates": [
            {
                "coordinate": coordinate,
                "scope": facts[coordinate].scope,
                "transform": transform.value if transform else None,
                "state": _state(facts[coordinate], authority),
            }
            for coordinate, transform in grant.fields.items()
            if coordinate in facts
        ],
        "rows": {
            "schools": _listed(grant.rows.schools),
            "gradeLevels": _listed(grant.rows.grade_levels),
            "subjects": _listed(grant.rows.subjects),
            "enrollment": grant.rows.enrollment,
            "historyYears": grant.rows.history_years,
        },
    }


def _state(fact: Fact, authority: Authority) -> str:
    decision = decide(ask_for(fact), authority)
    return "IN_FORCE" if isinstance(decision, Permit) else decision.reason.value


def _listed(values: tuple[str, ...] | None) -> list[str] | None:
    return None if values is None else list(values)

"""Which sensitive fields a client has been given for so long that it would have used them, had it needed them."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from app.names import Coordinate, SpaceId
from app.policy.authority import authority
from app.policy.decide import ORDINARY, Ask, Permit, decide
from app.policy.known import FactLike, Use
from app.policy.model import PolicySet

LONG_ENOUGH = timedelta(days=90)


def long_given(
    policies: PolicySet, facts: Mapping[Coordinate, FactLike], now: datetime
) -> Mapping[SpaceId, Mapping[Use, frozenset[Coordinate]]]:
    """The sensitive and restricted coordinates that are disclosed now and were 90 days ago, by who may use them."""
    return {
        space: {
            use: given
            for use in sorted({(grant.client, grant.purpose) for grant in policy.grants})
            if (given := _given(policies, space, use, facts, now))
        }
        for space, policy in policies.spaces.items()
    }


def _given(
    policies: PolicySet, space: SpaceId, use: Use, facts: Mapping[Coordinate, FactLike], now: datetime
) -> frozenset[Coordinate]:
    asks = [
        Ask(coordinate, fact.scope, fact.sensitivity, fact.is_text)
        for coordinate, fact in facts.items()
        if fact.sensitivity not in ORDINARY
    ]
    held = frozenset(ask.scope for ask in asks)
    sides = [
        authority(
            policies,
            client=use[0],
            space=space,
            purpose=use[1],
            scopes=held,
            registered=held,
            suspended=False,
            now=at,
        )
        for at in (now, now - LONG_ENOUGH)
    ]
    return frozenset(ask.coordinate for ask in asks if all(isinstance(decide(ask, by), Permit) for by in sides))

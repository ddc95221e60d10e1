"""Policy is written apart from the schema; here the two are held together."""

from app.operation.authorize import ROOT_TYPES
from app.policy.decide import ORDINARY, SENSITIVE
from app.policy.reach import ENTRANCES
from app.schema.facts import Sensitivity


def test_policy_knows_every_sensitivity() -> None:
    assert {*Sensitivity} == ORDINARY | SENSITIVE | {Sensitivity.RESTRICTED}


def test_policy_knows_every_root_field_that_enters_a_type() -> None:
    assert {*ROOT_TYPES.values()} == ENTRANCES

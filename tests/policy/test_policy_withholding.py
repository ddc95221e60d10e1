"""What opt-outs and directory blocks do to a grant, by the district's policy and the grant's basis."""

import pytest

from app.names import ClientId
from app.policy.reading import read_policies
from app.policy.withholding import Withholding, withholding
from tests.policy.texts import DISTRICT, GRANT, READWELL, caller, files


def under(district: str = "", basis: str = "school-official") -> Withholding:
    grant = GRANT.replace('"school-official"', f'"{basis}"')
    return withholding(caller(policies=read_policies(files(district=DISTRICT + district, grant=grant))))


def test_left_out_an_opt_out_withholds_the_record_and_a_block_bears_on_directory_grants_alone() -> None:
    assert under() == Withholding(READWELL, records=True, directory=None)
    assert under(basis="directory-information") == Withholding(READWELL, records=True, directory="directory")


def test_a_district_may_keep_the_record_and_withhold_its_fields() -> None:
    assert not under('[opt_out]\nvendors = "withhold-fields"\n').records


@pytest.mark.parametrize(("basis", "withheld"), [("studies", "directory"), ("directory-information", None)])
def test_a_district_names_the_bases_on_which_blocks_withhold(basis: str, withheld: str | None) -> None:
    named = '[opt_out]\ndirectory = { applies_to = ["studies"], fields = "directory" }\n'
    assert under(named, basis).directory == withheld


def test_where_nothing_was_decided_all_is_withheld() -> None:
    everything = Withholding(READWELL, records=True, directory="directory")
    assert withholding(caller(policies=read_policies({}))) == everything
    assert withholding(caller(client=ClientId("mathly"))).records

"""What families' own decisions withhold under one authority: opt-outs, and directory information that is blocked.

Pure. Whom they concern is in the space's own records; what they do is the district's policy, decided once for a plan.
"""

from dataclasses import dataclass

from app.names import ClientId
from app.policy.authority import Authority

DIRECTORY = "directory"


@dataclass(frozen=True, slots=True)
class Withholding:
    """What is held back from one client."""

    client: ClientId  # whose opt-outs count, beside those that are for every vendor
    records: bool  # an opted-out student is absent; else the record stands, with nothing in it
    directory: str | None  # the sensitivity that is withheld of blocked students; None: this grant does not lose it


def withholding(authority: Authority) -> Withholding:
    """What opt-outs and blocks do to a grant on its basis. Where nothing was decided, all that can be is withheld."""
    if authority.grant is None or authority.district is None:
        return Withholding(authority.client, records=True, directory=DIRECTORY)
    rule = authority.district.opt_out
    return Withholding(
        authority.client,
        records=rule.vendors == "withhold-record",
        directory=rule.directory_fields if authority.grant.basis in rule.directory_applies_to else None,
    )

"""What is amiss in a space's policy files: those that cannot be read, and those that mislead."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from app.console.visit import Visit
from app.errors import PolicyError, Unavailable
from app.ledger.summed import Use, Used, used_fields
from app.ledger.usage import begun
from app.names import Coordinate, Revision, SpaceId
from app.oauth.clients import State, list_clients
from app.policy.cases import CASES_FILE
from app.policy.known import Known
from app.policy.known import Use as WhoFor
from app.policy.lint import lint
from app.policy.model import Finding, PolicySet
from app.policy.reading import read_folder, read_policies
from app.policy.usage import LONG_ENOUGH, long_given
from app.requests.store import revocations
from app.spaces.lookup import school_keys


def on_disk(visit: Visit) -> Mapping[str, bytes]:
    """The space's files as they lie in the policy folder of this machine; none where there is no folder."""
    state = f"{visit.space.partition('/')[0]}/state.toml"
    try:
        files = read_folder(visit.desk.rooms.settings.policies_folder)
    except PolicyError:
        return {}
    return {path: text for path, text in files.items() if path.startswith(f"{visit.space}/") or path == state}


@dataclass(frozen=True, slots=True)
class Looked:
    """The files of a space as they lie in the folder, and everything that somebody should look at."""

    drafts: Mapping[str, bytes]
    broken: tuple[Finding, ...]  # of files that cannot be read: their last good revisions stand in
    findings: tuple[Finding, ...]  # those, and what is amiss in what is in force
    revoked: Collection[Revision]  # with which officers ended grants
    differing: frozenset[str]  # files of which the folder has another text than what is in force

    def address(self, finding: Finding) -> str:
        """Where a finding's line is shown: of a file that cannot be read, in the text that the folder has."""
        return f"/console/policy/file?path={quote(finding.file, safe='')}#{self.place(finding)}"

    def place(self, finding: Finding) -> str:
        """The line's place on the page of its file."""
        drafted = finding in self.broken and finding.file in self.differing
        return f"{'D' if drafted else 'L'}{finding.line}"


async def look(visit: Visit) -> Looked:
    """Look at the folder, and at what is in force. Raises: Unavailable."""
    drafts = await asyncio.to_thread(on_disk, visit)
    policies = visit.desk.rooms.policies
    # What is in force was read, and well: files are read again only where the folder has another text.
    other = [path for path, text in drafts.items() if text != policies.files.get(path)]
    broken: tuple[Finding, ...] = ()
    if not all(CASES_FILE.fullmatch(path) for path in other):
        broken = tuple(sorted(read_policies(drafts, policies.files).findings))
    in_force = PolicySet({visit.space: visit.policy}, broken, policies.files)
    against = await known(visit, in_force)
    findings = lint(in_force, against, visit.desk.now())
    return Looked(drafts, broken, findings, against.revoked, frozenset(other))


async def known(visit: Visit, policies: PolicySet) -> Known:
    """What the files are compared with. What cannot be asked is not checked."""
    vocabulary = visit.desk.vocabulary
    try:
        schools: Mapping[SpaceId, set[str]] = {visit.space: await school_keys(visit.place.records)}
    except Unavailable:
        schools = {}
    clients = {
        one.id: one.scopes for one in await list_clients(visit.desk.rooms.control) if one.state is not State.REVOKED
    }
    remotes = visit.desk.rooms.endpoints.get(visit.space, {})
    return Known(
        facts=vocabulary.facts,
        spaces=(visit.space,),
        schools=schools,
        clients=clients,
        scopes=frozenset(fact.scope for fact in vocabulary.facts.values()),
        subgraphs=tuple(remotes),
        unused={visit.space: await unused(visit, policies)},
        revoked=await revoked(visit),
    )


async def revoked(visit: Visit) -> frozenset[Revision]:
    """The revisions with which officers ended grants: they say what was decided, and wait for nobody."""
    return frozenset(Revision(one.revision) for one in await revocations(visit.desk.rooms.control, visit.space))


async def unused(visit: Visit, policies: PolicySet) -> Mapping[WhoFor, frozenset[Coordinate]]:
    """The sensitive fields that were given for 90 days, and not used in them: by the ledger's summary."""
    now = visit.desk.now()
    first = await begun(visit.place.ledger)
    if first is None or first > now - LONG_ENOUGH:
        return {}  # nobody has had the time
    used = await used_fields(visit.place.ledger)
    given = long_given(policies, visit.desk.vocabulary.facts, now).get(visit.space, {})
    return {
        (client, purpose): frozenset(
            one for one in coordinates if not lately(used, (client, purpose, one), now - LONG_ENOUGH)
        )
        for (client, purpose), coordinates in given.items()
    }


def lately(used: Mapping[Use, Used], use: Use, since: datetime) -> bool:
    """Whether a field left since then."""
    one = used.get(use)
    return one is not None and one.last >= since

"""Whether each space's role in PostgreSQL can read its own schemas alone: the second lock, looked at by `check`."""

from collections.abc import Sequence

from app.errors import ConfigurationError, Unavailable
from app.settings import Settings
from app.storage.copies import is_postgresql
from app.storage.locks import CONTROL, Place, find_places, find_reaches

MEND = "Give each space a role of its own, as docs/operator.md shows."


async def check_locks(settings: Settings) -> tuple[list[str], list[str]]:
    """What wants mending, and what wants knowing. Of databases that do not answer others speak."""
    urls = [(CONTROL, settings.control)]
    urls += [(name, url) for name, place in settings.spaces.items() for url in (place.database, place.ledger)]
    try:
        addresses = [(owner, settings.database_url(url)) for owner, url in urls]
        places = await find_places([(owner, url) for owner, url in addresses if is_postgresql(url)])
        return await _judge(places)
    except (ConfigurationError, Unavailable):
        return [], []


async def _judge(places: Sequence[Place]) -> tuple[list[str], list[str]]:
    findings: dict[str, None] = {}
    remarks: dict[str, None] = {}
    masters: dict[tuple[str, str], str] = {}
    for place in places:
        if place.owner != CONTROL and (place.above or place.makes):
            what = "is a superuser" if place.above else "may make roles, and so become any"
            masters[place.owner, place.role] = what
            others = {it.owner for it in places if it.server == place.server} - {CONTROL, place.owner}
            told = f"{place.owner}: The role {place.role} {what}: it can read every space on that server. {MEND}"
            (findings if others else remarks)[told] = None
    for reach in await find_reaches(places):
        if (reach.space, reach.role) in masters:
            continue
        where = f"the schema {reach.schema} of the database {reach.database}"
        if reach.whose is None or reach.whose == CONTROL:
            whose = ", the control tables" if reach.whose else ""
            remarks[f"{reach.space}: The role {reach.role} can read {where}{whose}. {MEND}"] = None
        else:
            findings[f"{reach.space}: The role {reach.role} can read {where}, which is {reach.whose}'s. {MEND}"] = None
    return [*findings], [*remarks]

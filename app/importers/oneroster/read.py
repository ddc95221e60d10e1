"""Read a OneRoster archive: its manifest, then its files in the order in which they need each other."""

from collections.abc import Awaitable, Callable

from app.importers.oneroster import demographics, enrollment, gradebook, organisation, people, roles
from app.importers.oneroster.context import Context
from app.importers.oneroster.manifest import read_manifest
from app.importers.sink import Sink
from app.importers.source import Source

READERS: dict[str, Callable[[Context], Awaitable[None]]] = {
    "orgs": organisation.orgs,
    "academicSessions": organisation.academic_sessions,
    "courses": organisation.courses,
    "classes": organisation.classes,
    "roles": roles.roles,
    "users": people.users,
    "demographics": demographics.demographics,
    "enrollments": enrollment.enrollments,
    "categories": gradebook.categories,
    "lineItems": gradebook.line_items,
    "results": gradebook.results,
}
"""Who reads which file, parents before children."""


async def read_oneroster(source: Source, sink: Sink) -> None:
    """Read every file that the manifest names.

    Raises: HomeroomError when a file is missing, not what the manifest says, or no CSV.
    """
    manifest = read_manifest(source, sink)
    source.expect(list(manifest.files.values()))
    context = Context(source, sink, manifest)
    if not manifest.whole("orgs"):
        context.districts |= await sink.store.keys("District")
        context.schools |= await sink.store.keys("School")
    if not manifest.whole("academicSessions"):
        context.sessions |= await sink.store.keys("Session")
        context.periods |= await sink.store.keys("GradingPeriod")
    for name, read in READERS.items():
        if name == "users" and not manifest.has("users"):
            roles.settle_roles(context)
        if name in manifest.files and not (name == "roles" and manifest.version == "1.1"):
            await read(context)

"""Resources as publishers write them, and the way in."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine

from app.registry.intake import Report, import_resources
from app.registry.lookup import Asked, page


def node(slug: str, name: str, **more: Any) -> dict[str, Any]:
    return {"@type": "LearningResource", "url": f"https://r.example/{slug}", "name": name, **more}


def aligned(framework: str | None, target: str, kind: str = "teaches") -> dict[str, Any]:
    return {"alignmentType": kind, "educationalFramework": framework, "targetName": target}


def ndjson(folder: Path, *nodes: dict[str, Any], name: str = "r.ndjson") -> Path:
    file = folder / name
    file.write_text("".join(f"{json.dumps(one)}\n" for one in nodes))
    return file


async def taken(index: AsyncEngine, folder: Path, *nodes: dict[str, Any], **options: Any) -> Report:
    return await import_resources(index, ndjson(folder, *nodes), **options)


async def names(index: AsyncEngine, **asked: str) -> list[str]:
    """The names of what is found, in order."""
    return [one.resource.name for one in (await page(index, Asked(**asked), 500, None)).placed]

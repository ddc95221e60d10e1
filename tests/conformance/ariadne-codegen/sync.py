"""A vendor's sync with its generated client: page by page until nothing more has changed, then once more.

python sync.py ADDRESS TOKEN
"""

import asyncio
import json
import sys

from homeroom_client.client import Client


async def sync() -> None:
    address, token = sys.argv[1:]
    held: dict[str, str | None] = {}
    cursor: str | None = None
    async with Client(address, {"Authorization": f"Bearer {token}"}) as client:
        for _ in range(2):  # the second time, nothing has changed
            more, received = True, 0
            while more:
                students = (await client.roster(first=20, changed_since=cursor)).students
                for gone in students.removed or ():
                    held.pop(gone, None)
                for one in students.nodes or ():
                    held[one.id] = one.first_name
                    received += 1
                cursor, more = students.change_cursor, students.page_info.has_next_page
    told = {"held": len(held), "named": sum(map(bool, held.values())), "received_again": received}
    sys.stdout.write(json.dumps(told))


asyncio.run(sync())

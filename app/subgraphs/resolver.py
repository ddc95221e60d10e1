"""The system's names, without the link-local addresses that a name may be made to stand for."""

import socket
from collections.abc import Collection

from aiohttp.abc import ResolveResult
from aiohttp.resolver import ThreadedResolver

from app.addresses import reachable


class Resolver(ThreadedResolver):
    """Whom a name stands for. `declared`: hosts that may be anywhere. `outside`: no other is in a private network."""

    def __init__(self, declared: Collection[str], *, outside: bool = False) -> None:
        super().__init__()
        self._declared = frozenset(declared)
        self._outside = outside

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses that may be connected to. Raises: OSError if there is none."""
        found = await super().resolve(host, port, family)
        if host in self._declared:
            return found
        kept = reachable((one["host"] for one in found), outside=self._outside)
        return [one for one in found if one["host"] in kept]

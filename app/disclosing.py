"""The last step of a request: records × denials → an answer, recorded before its bytes leave.

INVARIANT: no byte of `data` is handed on before the ledger entry that covers it is durable.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from dataclasses import dataclass

import msgspec

from app.errors import RequestError
from app.federation.execute import Part
from app.installation import Installation
from app.ledger.entry import Entry, Kind, Whose
from app.ledger.ledger import Ledger
from app.oauth.caller import Caller
from app.operation.decided import Denial
from app.operation.model import Operation
from app.policy.authority import Authority
from app.telemetry.trail import Trail

Bytes = bytes | bytearray
"""What leaves: a chunk is written once, and handed on as it is."""


class AccessEndedError(Exception):
    """Access ended in the middle of a stream: it is aborted, for a shortened list must not pass for the whole."""


@dataclass(slots=True)
class Disclosure:
    """Who asks for what in one request, as the ledger keeps it."""

    rooms: Installation
    ledger: Ledger
    caller: Caller
    authority: Authority
    trail: Trail
    operation: Operation | None = None  # once it is known

    async def refuse(self, error: RequestError) -> None:
        """Record that a known caller was answered with nothing."""
        await self._record(Kind.REFUSAL, denied=[(str(error.extensions.get("coordinate", "Query")), error.code)])

    async def send(self, subgraph: str, told: tuple[Whose, ...]) -> None:
        """Record what a subgraph is about to be told, so that it can answer."""
        await self._record(Kind.SENT, Part(bytearray(), told, last=False), subgraph=subgraph)

    async def answer(self, parts: AsyncGenerator[Part], denials: Iterable[Denial]) -> bytes | AsyncIterator[Bytes]:
        """One object if it comes in one part, else a stream of chunks."""
        denied = tuple(denials)
        reasons = [(str(denial.coordinate), denial.reason.value) for denial in denied]
        first = await anext(parts)
        errors = [*(denial.error() for denial in denied), *first.errors]
        opening = b'{"errors":' + msgspec.json.encode(errors) + b',"data":' if errors else b'{"data":'
        if first.last:
            await parts.aclose()
            self.trail.stage("record")
            await self._record(Kind.ANSWER, first, reasons)
            self.trail.stage("answer")
            return b"".join((opening, first.data, b"}"))
        return self._stream(opening, first, parts, reasons)

    async def _stream(
        self, opening: bytes, first: Part, parts: AsyncGenerator[Part], denied: list[tuple[str, str]]
    ) -> AsyncIterator[Bytes]:
        ends = self.rooms.clock().timestamp() + self.rooms.settings.limits.stream_seconds
        following: asyncio.Task[Part] | None = None
        part = first
        try:
            while True:
                # The next part is read while the entry of this one becomes durable, and never more than one ahead.
                following = None if part.last else asyncio.create_task(anext_of(parts))
                if opening:
                    self.trail.stage("record")
                    await asyncio.gather(self._record(Kind.OPENING, denied=denied, complete=False), self._chunk(part))
                else:
                    await self._chunk(part)
                if part.last:
                    part.data.extend(b"}")
                if opening:
                    self.trail.stage("answer")  # to its end: its further parts are read and recorded meanwhile
                yield b"".join((opening, part.data)) if opening else part.data
                if following is None:
                    break
                opening, part = b"", await following
                self._look_again(ends)
            await self._record(Kind.CLOSING)
        except BaseException:
            await self._record(Kind.ABORTED, complete=False)
            raise
        finally:
            if following is not None:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)
            await parts.aclose()

    async def _chunk(self, part: Part) -> None:
        await self._record(Kind.CHUNK, part, complete=False)

    def _look_again(self, ends: float) -> None:
        """A grant, a client or a token that ended stops the stream at the next chunk."""
        rooms = self.rooms
        if not rooms.authorization.stands(self.caller) or rooms.authority(self.caller) != self.authority:
            raise AccessEndedError
        if rooms.clock().timestamp() > ends:
            raise AccessEndedError

    async def _record(
        self,
        kind: Kind,
        part: Part | None = None,
        denied: Iterable[tuple[str, str]] = (),
        *,
        complete: bool = True,
        subgraph: str | None = None,
    ) -> None:
        authority = self.authority
        grant = authority.grant
        await self.ledger.record(
            Entry(
                kind=kind,
                at=self.rooms.clock(),
                request=self.trail.id,
                client=self.caller.client,
                purpose=self.caller.purpose,
                basis=grant.basis.value if grant else None,
                revision=authority.revision,
                district_revision=authority.district.revision if authority.district else None,
                state_revision=authority.state.revision if authority.state else None,
                operation=self.operation.name if self.operation else None,
                digest=self.operation.digest if self.operation else "",
                disclosed=part.whose if part else (),
                denied=tuple(denied),
                complete=complete,
                removed=part.removed if part else (),
                subgraph=subgraph,
            ),
            part.keeping if part else (),
        )


async def anext_of(parts: AsyncGenerator[Part]) -> Part:
    """The next part, as a coroutine that a task can run."""
    return await anext(parts)

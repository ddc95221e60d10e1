"""Pairwise ids and sealed cursors: what a record is called outside its space.

An id is one AES-256 block, a permutation keyed for one space and one client, over (type, 56 zero bits, row number):
the zeros authenticate it, so that a guessed or foreign id is simply unknown. Two clients get unlike ids for the same
record. Cursors are AES-SIV (RFC 5297), bound to space, client and query.

Shape: an id is 32 hex digits. Row numbers are unsigned 64-bit.
"""

import base64
import hashlib
import sys
from array import array
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.names import ClientId, Row, SpaceId

TYPE_NUMBERS = {
    "District": 1,
    "School": 2,
    "Session": 3,
    "GradingPeriod": 4,
    "Course": 5,
    "Section": 6,
    "Staff": 7,
    "StaffSectionAssociation": 8,
    "Student": 9,
    "SchoolEnrollment": 10,
    "SectionEnrollment": 11,
    "Grade": 12,
    "Contact": 13,
    "AttendanceEvent": 14,
    "ProgramParticipation": 15,
    "DisciplineIncident": 16,
    "DisciplineAction": 17,
    "AcademicRecord": 18,
    "StudentGradebookEntry": 19,
}
"""INVARIANT: a number, once given to a type, is never given to another: vendors keep ids for years."""

TYPE_NAMES = {number: name for name, number in TYPE_NUMBERS.items()}


class Identifiers:
    """The names that one client has for the records of one space."""

    def __init__(self, secret: bytes, space: SpaceId, client: ClientId) -> None:
        cipher = Cipher(algorithms.AES(_derive(secret, "id", space, client, 32)), modes.ECB())  # noqa: S305 - one block each
        # Each block stands alone, so that one of each goes on for ever.
        self._encrypt, self._decrypt = cipher.encryptor().update, cipher.decryptor().update
        self._alias = _derive(secret, "alias", space, client, 32)
        self._siv = AESSIV(_derive(secret, "cursor", space, client, 64))
        self._keyed = hashlib.blake2b(key=_derive(secret, "digest", space, client, 64), digest_size=16)

    def column(self, type_name: str, rows: Sequence[int]) -> list[str]:
        """The ids of a whole column of row numbers, in one call of the cipher."""
        blocks = array("Q", bytes(16 * len(rows)))
        blocks[0::2] = array("Q", [TYPE_NUMBERS[type_name]]) * len(rows)
        blocks[1::2] = array("Q", rows)
        if sys.byteorder == "big":
            blocks.byteswap()
        text = self._encrypt(blocks.tobytes()).hex()
        return [text[at : at + 32] for at in range(0, len(text), 32)]

    def one(self, type_name: str, row: int) -> str:
        """The id of one record."""
        return self.column(type_name, (row,))[0]

    def alias(self, key: str) -> str:
        """What a person is called who has no record of their own: the same wherever the district's key names them."""
        return hashlib.blake2b(key.encode(), key=self._alias, digest_size=16).hexdigest()

    def record(self, identifier: object) -> tuple[str, Row] | None:
        """The type and row number behind an id; None for everything that is not an id of this client and space."""
        if not isinstance(identifier, str) or len(identifier) != 32:
            return None
        try:
            block = bytes.fromhex(identifier)
        except ValueError:
            return None
        if len(block) != 16 or identifier != block.hex():
            return None
        plain = self._decrypt(block)
        name = TYPE_NAMES.get(int.from_bytes(plain[:8], "little"))
        row = int.from_bytes(plain[8:], "little")
        return (name, Row(row)) if name is not None and row < 2**63 else None

    def row(self, type_name: str, identifier: object) -> Row | None:
        """The row number behind an id of that type; None for every other id."""
        found = self.record(identifier)
        return found[1] if found is not None and found[0] == type_name else None

    def seal_key(self, type_name: str, key: str) -> str:
        """The id of something that a subgraph alone knows, by that subgraph's own key."""
        sealed = self._siv.encrypt(key.encode(), [b"key", type_name.encode()])
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def seal(self, row: int, query: bytes, holding: bytes = b"") -> str:
        """A cursor that stands behind `row` in the list that `query` describes, in a page of that holding."""
        return self._sealed(row.to_bytes(8, "big") + holding, [query])

    def unseal(self, cursor: str, query: bytes) -> tuple[Row, bytes] | None:
        """The row number and the holding behind a cursor; None if it is not this client's, space's and query's."""
        plain = self._unsealed(cursor, [query])
        return None if plain is None else (Row(int.from_bytes(plain[:8], "big")), plain[8:])

    def seal_holding(self, holding: bytes, query: bytes) -> str:
        """A cursor that stands for what the client holds of the list that `query` describes."""
        return self._sealed(holding, [query, b"holding"])

    def unseal_holding(self, cursor: str, query: bytes) -> bytes | None:
        """The holding behind a cursor; None if it is not this client's, this space's and this query's."""
        return self._unsealed(cursor, [query, b"holding"])

    def digest(self, places: Iterable[bytes | msgspec.Raw]) -> bytes:
        """What tells the bytes of one record from any others, and tells nobody without the key anything of them."""
        keyed = self._keyed.copy()
        for each in places:
            keyed.update(each)
        return keyed.digest()

    def _sealed(self, plain: bytes, bound: list[bytes]) -> str:
        return base64.urlsafe_b64encode(self._siv.encrypt(plain, bound)).decode().rstrip("=")

    def _unsealed(self, cursor: str, bound: list[bytes]) -> bytes | None:
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
            return self._siv.decrypt(sealed, bound)
        except (ValueError, InvalidTag):
            return None


@lru_cache(maxsize=4096)
def identifiers(secret: bytes, space: SpaceId, client: ClientId) -> Identifiers:
    """The client's names for the space's records; derived once and kept."""
    return Identifiers(secret, space, client)


def _derive(secret: bytes, use: str, space: SpaceId, client: ClientId, length: int) -> bytes:
    """Spec: RFC 5869. The parts cannot contain the separator."""
    return HKDF(SHA256(), length, salt=None, info=f"homeroom\n{use}\n{space}\n{client}".encode()).derive(secret)

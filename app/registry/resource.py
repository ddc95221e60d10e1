"""A learning resource as the index keeps it. Spec: LRMI, as schema.org has taken it in.

INVARIANT: nothing here is a person's. What the graph shows of a resource is what its publisher wrote, bounded.
"""

import hashlib
import re
import unicodedata
from base64 import b32encode

import msgspec

SCED = "SCED"
"""The framework whose targets are codes of courses. Spec: School Courses for the Exchange of Data."""

_WORDS = re.compile(r"[^\W_]+")
_ORDINAL = re.compile(r"(?:grades? )?(\d{1,2})(?:st|nd|rd|th)?(?: grade)?")
_RANGE = re.compile(r"(?:grades? )?(k|kg|kindergarten|\d{1,2})\s*(?:-|–|to)\s*(?:grades? )?(\d{1,2})")
_LEVELS = {
    **dict.fromkeys(("k", "kg", "kindergarten"), "KG"),
    **dict.fromkeys(("pk", "pre-k", "prek", "preschool", "prekindergarten", "pre-kindergarten"), "PK"),
}
HIGHEST = 13


class Alignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """That a resource teaches, assesses or needs something that a framework names."""

    alignment_type: str | None = None
    educational_framework: str | None = None
    target_name: str | None = None
    target_description: str | None = None
    target_url: str | None = None


class Paradata(msgspec.Struct, frozen=True):
    """How often something was done with a resource, all told."""

    action: str
    count: int


class Resource(msgspec.Struct, frozen=True, omit_defaults=True):
    """One resource. Its address is what it is known by."""

    url: str
    name: str
    description: str | None = None
    subject: tuple[str, ...] = ()
    grade_levels: tuple[str, ...] = ()
    learning_resource_type: tuple[str, ...] = ()
    license: str | None = None
    publisher: str | None = None
    educational_alignment: tuple[Alignment, ...] = ()
    paradata: tuple[Paradata, ...] = ()

    @property
    def id(self) -> str:
        """Made of the address, so that it is the same in every index."""
        return b32encode(hashlib.sha256(self.url.encode()).digest()[:15]).decode().lower()

    @property
    def courses(self) -> tuple[str, ...]:
        """The SCED codes of the courses that it is for."""
        return tuple(
            one.target_name
            for one in self.educational_alignment
            if one.target_name and (one.educational_framework or "").upper() == SCED
        )

    @property
    def standards(self) -> tuple[str, ...]:
        """The standards that it is aligned to, by name and by address."""
        return tuple(
            text
            for one in self.educational_alignment
            if (one.educational_framework or "").upper() != SCED
            for text in (one.target_name, one.target_url)
            if text
        )

    @property
    def uses(self) -> int:
        """How often anything was done with it."""
        return sum(one.count for one in self.paradata)


def words(text: str) -> list[str]:
    """The words of a text as a search compares them: without case and accents."""
    plain = "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))
    return _WORDS.findall(plain.casefold())


def folded(text: str) -> str:
    """A name or code as a filter compares it. What no text has (control characters, half characters) is a blank."""
    plain = "".join(" " if unicodedata.category(letter) in {"Cc", "Cs"} else letter for letter in text)
    return " ".join(unicodedata.normalize("NFKC", plain).casefold().split())


def grade_levels(text: str) -> tuple[str, ...]:
    """What a text says of grades, in CEDS' codes (`KG`, `05`); a text that says none stands as it is."""
    plain = folded(text)
    if plain in _LEVELS:
        return (_LEVELS[plain],)
    if found := _ORDINAL.fullmatch(plain):
        grade = int(found[1])
        return (f"{grade:02}",) if 1 <= grade <= HIGHEST else (text.strip(),)
    if found := _RANGE.fullmatch(plain):
        first, last = (0 if found[1].startswith("k") else int(found[1])), int(found[2])
        if first <= last <= HIGHEST:
            return tuple("KG" if grade == 0 else f"{grade:02}" for grade in range(first, last + 1))
    return (text.strip(),)

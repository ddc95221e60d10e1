"""The nodes of a JSON-LD document, each with the line that it begins on."""

import json
import re
from collections.abc import Generator, Iterator

from app.registry.bounds import UnfitError

_BLANK = re.compile(r"[ \t\r\n]*")
GRAPH = "@graph"


def nodes(text: str) -> Iterator[tuple[int, object]]:
    """Every node of a document: of its list or `@graph`, or the document itself. Raises: UnfitError with a line."""
    return _Scanner(text).nodes()


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.decoder = json.JSONDecoder(parse_constant=_refuse)
        self.at = 0
        self.line, self.counted = 1, 0

    def nodes(self) -> Iterator[tuple[int, object]]:
        if self.seen() == "[":
            yield from self.listed()
        elif self.seen() == "{":
            start, line = self.at, self.here()
            if not (yield from self.graph()):
                self.at = start
                yield line, self.value()
        else:
            raise self.broken()
        if self.seen():
            raise self.broken()

    def listed(self) -> Iterator[tuple[int, object]]:
        """The values of a list."""
        self.take("[")
        if self.seen() == "]":
            self.take("]")
            return
        while True:
            self.seen()
            line = self.here()
            yield line, self.value()
            if self.seen() == "]":
                self.take("]")
                return
            self.take(",")

    def graph(self) -> Generator[tuple[int, object], None, bool]:
        """The nodes of an object's `@graph`; gives whether it has one."""
        found = False
        self.take("{")
        while self.seen() == '"':
            key = self.value()
            self.take(":")
            if key == GRAPH and self.seen() == "[":
                found = True
                yield from self.listed()
            else:
                self.value()
            if self.seen() != ",":
                break
            self.take(",")
        self.take("}")
        return found

    def seen(self) -> str:
        """The next letter that is no blank; empty at the end."""
        blank = _BLANK.match(self.text, self.at)
        self.at = blank.end() if blank else self.at
        return self.text[self.at : self.at + 1]

    def take(self, letter: str) -> None:
        if self.seen() != letter:
            raise self.broken()
        self.at += 1

    def value(self) -> object:
        self.seen()
        try:
            value, self.at = self.decoder.raw_decode(self.text, self.at)
        except (ValueError, RecursionError) as error:
            self.at = getattr(error, "pos", self.at)
            raise self.broken() from None
        return value

    def here(self) -> int:
        """The line that is being read."""
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line

    def broken(self) -> UnfitError:
        return UnfitError(None, f"line {self.text.count(chr(10), 0, self.at) + 1}: This is not JSON")


def _refuse(_name: str) -> object:
    raise ValueError

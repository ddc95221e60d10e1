"""Find the line on which each key and each element of a TOML text stands, which `tomllib` does not tell.

Shape: a path is a tuple of keys and indexes, `("fields", "Student", 1)`. Of a text that is not TOML the lines found so
far are given. Linear in the text. It runs before `tomllib`, whose memory grows with the square of a key's dots, and
so it refuses what is nested deeper than any policy is; it accepts whatever else `tomllib` accepts.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

Path = tuple[str | int, ...]

BLANK = re.compile(r"[ \t]*+")
GAP = re.compile(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
BARE = re.compile(r"[A-Za-z0-9_-]++")
STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+"""(?:"{0,2}+)'
    r"|'''(?:[^']|'(?!''))*+'''(?:'{0,2}+)"
    r'|"(?:[^"\\\n]|\\.)*+"'
    r"|'[^'\n]*+'",
    re.DOTALL,
)
DEEPEST = 16
"""How many keys and indexes deep a policy file may go."""

SCALAR = re.compile(r"[^,\]}\n#]++")


class TooDeepError(Exception):
    """The text nests deeper than any policy does. `line` is where."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _StopError(Exception):
    """The text goes on in a way that TOML does not: no more lines can be told."""


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    found: dict[Path, int] = field(default_factory=dict)
    tables: dict[Path, int] = field(default_factory=dict)  # arrays of tables, with how many there are so far
    starts: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.starts = [0, *(match.end() for match in re.finditer("\n", self.text))]

    def note(self, path: Path, at: int) -> None:
        line = bisect_right(self.starts, at)
        if len(path) > DEEPEST:
            raise TooDeepError(line)
        self.found.setdefault(path, line)

    def skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def take(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise _StopError
        self.at = match.end()
        return match[0]

    def expect(self, mark: str) -> None:
        if not self.text.startswith(mark, self.at):
            raise _StopError
        self.at += len(mark)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def key(self) -> list[tuple[str, int]]:
        """A dotted key: its parts, each with its place."""
        parts: list[tuple[str, int]] = []
        while True:
            self.skip(BLANK)
            start = self.at
            if self.peek() in {'"', "'"}:
                quoted = self.take(STRING)
                try:
                    part = str(tomllib.loads(f"key = {quoted}")["key"])
                except ValueError:
                    raise _StopError from None
            else:
                part = self.take(BARE)
            parts.append((part, start))
            if len(parts) > DEEPEST:
                raise TooDeepError(bisect_right(self.starts, start))
            self.skip(BLANK)
            if self.peek() != ".":
                return parts
            self.at += 1

    def assign(self, prefix: Path) -> Path:
        """A key and its equals sign: the path that the value stands under."""
        path = prefix
        for part, start in self.key():
            path = (*path, part)
            self.note(path, start)
        self.expect("=")
        return path

    def header(self) -> Path:
        """`[table]` or `[[array]]`: the path that the following keys stand under."""
        start = self.at
        many = self.text.startswith("[[", start)
        self.at += 2 if many else 1
        parts = self.key()
        self.expect("]]" if many else "]")
        path: Path = ()
        for number, (part, _) in enumerate(parts, start=1):
            path = (*path, part)
            self.note(path, start)
            if number < len(parts) and path in self.tables:
                path = (*path, self.tables[path] - 1)
        if many:
            index = self.tables.get(path, 0)
            self.tables[path] = index + 1
            path = (*path, index)
            self.note(path, start)
        return path

    def value(self, path: Path) -> None:
        """A value of any depth; arrays and inline tables wait on a stack, not on Python's."""
        open_ones: list[tuple[str, Path, int]] = []
        while True:
            self.skip(BLANK)
            if self.peek() in {"[", "{"}:
                open_ones.append((self.peek(), path, 0))
                self.at += 1
            elif self.peek() in {'"', "'"}:
                self.take(STRING)
            else:
                self.take(SCALAR)
            following = self.close(open_ones)
            if following is None:
                return
            path = following

    def close(self, open_ones: list[tuple[str, Path, int]]) -> Path | None:
        """Leave what ends here, and give the path of the element that comes next, or None after the last one."""
        while open_ones:
            kind, path, index = open_ones[-1]
            self.skip(GAP)
            if self.peek() == ",":
                self.at += 1
                self.skip(GAP)
            if self.peek() == ("]" if kind == "[" else "}"):
                self.at += 1
                open_ones.pop()
                continue
            if kind == "{":
                return self.assign(path)
            open_ones[-1] = (kind, path, index + 1)
            self.note((*path, index), self.at)
            return (*path, index)
        return None

    def run(self) -> None:
        prefix: Path = ()
        while True:
            self.skip(GAP)
            if self.at >= len(self.text):
                return
            if self.peek() == "[":
                prefix = self.header()
            else:
                self.value(self.assign(prefix))


def find_lines(text: str) -> Mapping[Path, int]:
    """The line of every key and element in a TOML text, counted from 1. Raises: TooDeepError."""
    scanner = _Scanner(text)
    with suppress(_StopError):
        scanner.run()
    return scanner.found


def around(path: Path) -> Iterator[Path]:
    """A path, then each that holds it, innermost first."""
    for length in range(len(path), 0, -1):
        yield path[:length]


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """The line of a path, or of the nearest thing around it, or the first line."""
    return next((lines[outer] for outer in around(path) if outer in lines), 1)


def dotted(path: Path) -> str:
    """A path as people write it: `fields.Student[1]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text

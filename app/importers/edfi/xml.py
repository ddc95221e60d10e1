"""Read an Ed-Fi interchange record by record, in memory that does not grow with the file.

Shape: `records` tells of each child of the document's root, yields those that are wanted as an `Element`, and forgets
them. Expat does the parsing;
a document type, and with it every entity of its own, is refused, so nothing expands and nothing is fetched.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from xml.parsers import expat

from app.importers.source import File, RosterError, Source

MAX_DEPTH = 64
MAX_RECORD = 4 * 1024**2
"""Characters and tags of the largest record."""
CHUNK = 1 << 16


class XmlError(RosterError):
    """A file that is no XML that can be read. Nothing was stored."""


Wanted = Callable[[str], Collection[str] | None]
"""Which children of a root of that name are wanted; None: the rest of the file is not even read."""


class Element:
    """One element of a record: its name without namespace, attributes, text and children."""

    __slots__ = ("attributes", "children", "line", "name", "said")

    def __init__(self, name: str, attributes: dict[str, str], line: int) -> None:
        self.name = name
        self.attributes = attributes
        self.children: Sequence[Element] = ()  # most have none, and a list of their own costs time
        self.said = ""
        self.line = line

    def all(self, name: str) -> Iterator["Element"]:
        """The children of that name."""
        return (child for child in self.children if child.name == name)

    def find(self, *path: str) -> "Element | None":
        """The first element down a path of names."""
        found = self
        for name in path:
            for child in found.children:
                if child.name == name:
                    found = child
                    break
            else:
                return None
        return found

    def text(self, *path: str) -> str | None:
        """The text at the end of a path, or None."""
        found = self.find(*path)
        return found.said if found is not None else None

    def texts(self, *path: str) -> list[str]:
        """The texts of every element of the last name, below the first element of the path before it."""
        above = self.find(*path[:-1])
        return [child.said for child in above.all(path[-1])] if above else []


class _Reading:
    """The state between two events of the parser."""

    def __init__(self, file: File, wanted: Wanted, meet: Callable[[str], None]) -> None:
        self.file = file
        self.wanted = wanted
        self.meet = meet
        self.kinds: Collection[str] = ()
        self.inside = False  # a record that is wanted
        self.root: str | None = None
        self.skip = False
        self.stack: list[Element] = []
        self.depth = 0
        self.weight = 0
        self.ready: list[Element] = []
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.start
        self.parser.EndElementHandler = self.end
        self.parser.CharacterDataHandler = self.characters
        self.parser.StartDoctypeDeclHandler = self.doctype
        self.parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)

    def doctype(self, *_: object) -> None:
        raise XmlError(
            f"{self.file.name} declares a document type (DOCTYPE), which can hide other files and endless text. "
            "Take the declaration out; Ed-Fi files have none."
        )

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        local = name.rpartition(" ")[2]
        if self.depth == 1:
            self.root = local
            kinds = self.wanted(local)
            self.skip, self.kinds = kinds is None, kinds or ()
            return
        if self.skip:
            return
        if self.depth > MAX_DEPTH:
            raise XmlError(f"{self.file.name} nests elements more than {MAX_DEPTH} deep, as no Ed-Fi file does.")
        if self.depth == 2:
            self.inside = local in self.kinds
            self.meet(local)
        if not self.inside:
            return
        self._weigh(1 + len(local) + (sum(map(len, attributes.values())) if attributes else 0))
        element = Element(local, attributes, self.parser.CurrentLineNumber)
        if self.stack:
            above = self.stack[-1]
            if above.children:
                above.children.append(element)  # type: ignore[attr-defined]
            else:
                above.children = [element]
        self.stack.append(element)

    def end(self, _name: str) -> None:
        self.depth -= 1
        if self.stack:
            element = self.stack.pop()
            if not self.stack:
                self.ready.append(element)
                self.weight = 0

    def characters(self, data: str) -> None:
        if self.stack and (self.stack[-1].said or not data.isspace()):
            self._weigh(len(data))
            self.stack[-1].said += data

    def _weigh(self, count: int) -> None:
        self.weight += count
        if self.weight > MAX_RECORD:
            line = self.stack[0].line if self.stack else self.parser.CurrentLineNumber
            raise XmlError(
                f"{self.file.name}:{line}: the record is larger than {MAX_RECORD:,} characters. "
                "Shorten it; nothing was stored."
            )


def records(
    source: Source, file: File, wanted: Wanted, meet: Callable[[str], None] = lambda _: None
) -> Iterator[Element]:
    """Every record of a file that is wanted; `meet` is told the name of every record, wanted or not.

    Raises: XmlError that names file and line when the file is no well-formed XML.
    """
    reading = _Reading(file, wanted, meet)
    with source.open(file) as stream:
        try:
            fed = 0
            while chunk := stream.read(CHUNK):
                reading.parser.Parse(chunk, False)
                fed += len(chunk)
                if fed - reading.parser.CurrentByteIndex > 2 * MAX_RECORD:
                    raise XmlError(f"{file.name}: one tag or comment is larger than any record. Nothing was stored.")
                if reading.skip:
                    return
                yield from reading.ready
                reading.ready.clear()
            reading.parser.Parse(b"", True)
        except (expat.ExpatError, ValueError, LookupError) as error:
            line = getattr(error, "lineno", reading.parser.CurrentLineNumber)
            said = expat.ErrorString(error.code) if isinstance(error, expat.ExpatError) else "unknown encoding"
            raise XmlError(
                f"{file.name}:{line}: this is no well-formed XML ({said}). Export the file again as UTF-8."
            ) from None
        yield from reading.ready


def root_name(source: Source, file: File) -> str:
    """The name of a file's root element, read from its beginning."""
    found: list[str] = []

    def note(name: str) -> None:
        found.append(name)

    for _ in records(source, file, note):
        pass
    return found[0] if found else ""

"""Write records as the client asked for them: response keys in order, connections around pages, bytes in pieces.

Shape: the pieces of one answer, joined, are the JSON object that stands under `data`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from app.operation.decided import Decided, Frame, Root, Typename, Withheld
from app.operation.model import holds
from app.sources.fetch import Page

LISTS = frozenset({"nodes", "edges"})

AT_THE_END = frozenset({"pageInfo", "changeCursor", "removed"})
"""What is known of a list once its last record is."""

encode = msgspec.json.Encoder().encode
encode_into = msgspec.json.Encoder().encode_into


def key(response_key: str) -> bytes:
    """`"students":`."""
    return b'"' + response_key.encode() + b'":'


def included(root: Root, true: frozenset[str]) -> list[Decided]:
    """What stands directly below a root field in this request."""
    return [one for children in root.children.values() for one in children if holds(one.when, true)]


def streams(root: Root, true: frozenset[str]) -> bool:
    """Whether a connection can leave page by page: one list in it, and nothing before the list that its end decides."""
    frames = [one for one in included(root, true) if isinstance(one, Frame)]
    lists = [one for one in frames if one.field in LISTS]
    if len(lists) != 1 or any(one.field in AT_THE_END for one in frames[: frames.index(lists[0])]):
        return False
    nodes = [
        one for one in lists[0].children if isinstance(one, Frame) and one.field == "node" and holds(one.when, true)
    ]
    return lists[0].field == "nodes" or len(nodes) == 1


class Connection:
    """Writes one connection: `whole`, or page by page with `begin`, `go_on` and `end`."""

    def __init__(self, root: Root, true: frozenset[str]) -> None:
        self._parts = included(root, true)
        self._true = true
        self._type = root.selection.type or ""

    def whole(self, page: Page) -> bytes:
        """A connection whose only page this is."""
        lists = iter(page.lists)
        return b"{" + b",".join(key(one.response_key) + self._part(one, page, lists) for one in self._parts) + b"}"

    def begin(self, out: bytearray, page: Page) -> None:
        """Everything up to the last record of the first page."""
        out += b"{"
        for one in self._parts[: self._at]:
            out += key(one.response_key) + self._part(one, None, iter(())) + b","
        out += key(self._parts[self._at].response_key)
        self._items(out, page)

    def go_on(self, out: bytearray, page: Page) -> None:
        """The records of a further page."""
        if page.lists[0]:
            at = len(out)
            self._items(out, page)
            out[at] = ord(",")  # in the place of the bracket that would begin a list of its own

    def end(self, out: bytearray, page: Page) -> None:
        """Everything after the last record; `page` bears the list's first and last cursor."""
        out += b"]"
        for one in self._parts[self._at + 1 :]:
            out += b"," + key(one.response_key) + self._part(one, page, iter(()))
        out += b"}"

    def _items(self, out: bytearray, page: Page) -> None:
        """The records of a page, as a list that is left open. They are written once, where they leave from."""
        frame = self._parts[self._at]
        lists = iter(page.lists)
        assert isinstance(frame, Frame)  # noqa: S101 - for the type checker
        encode_into(self._edges(frame, page, lists) if frame.field == "edges" else next(lists), out, len(out))
        del out[-1]

    @property
    def _at(self) -> int:
        return next(n for n, one in enumerate(self._parts) if isinstance(one, Frame) and one.field in LISTS)

    def _part(self, one: Decided, page: Page | None, lists: Iterator[list[Any]]) -> bytes:
        match one:
            case Typename():
                return encode(self._type)
            case Frame(field="nodes") if page is not None:
                return encode(next(lists))
            case Frame(field="edges") if page is not None:
                return encode(self._edges(one, page, lists))
            case Frame(field="pageInfo") if page is not None:
                return encode(self._page_info(one, page))
            case Frame(field="changeCursor") if page is not None:
                return encode(page.change_cursor)
            case Frame(field="removed") if page is not None:
                return encode(page.removed)
            case _:
                raise AssertionError(f"{one} does not stand in a connection")

    def _edges(self, edges: Frame, page: Page, lists: Iterator[list[Any]]) -> list[dict[str, Any]]:
        count = len(page.lists[0]) if page.lists else 0
        columns: dict[str, list[Any]] = {}
        for one in edges.children:
            if not holds(one.when, self._true):
                continue
            match one:
                case Typename(response_key):
                    columns[response_key] = [edges.type] * count
                case Frame(response_key, _, "cursor"):
                    columns[response_key] = page.cursors or []
                case Frame(response_key, _, "node"):
                    columns[response_key] = next(lists)
                case _:
                    raise AssertionError(f"{one} does not stand in an edge")
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def _page_info(self, frame: Frame, page: Page) -> dict[str, object]:
        values = {
            "hasNextPage": page.has_next,
            "hasPreviousPage": False,  # Spec: Relay connections §5.1.2, where it is not known cheaply
            "startCursor": page.start_cursor,
            "endCursor": page.end_cursor,
        }
        return project(frame.children, values, "PageInfo", self._true)


def project(
    children: tuple[Decided, ...], value: Mapping[str, Any], type_name: str, true: frozenset[str]
) -> dict[str, Any]:
    """A plain value, as a selection of frames asks for it."""
    out: dict[str, Any] = {}
    for one in children:
        if not holds(one.when, true):
            continue
        match one:
            case Typename(response_key):
                out[response_key] = type_name
            case Frame(response_key, _, field, below_type, below):
                found = value[field]
                if below_type is None or found is None:
                    out[response_key] = found
                elif isinstance(found, list):
                    out[response_key] = [project(below, each, below_type, true) for each in found]
                else:
                    out[response_key] = project(below, found, below_type, true)
            case Withheld(response_key):
                out[response_key] = None
            case _:
                raise AssertionError(f"{one} does not stand in a plain value")
    return out

"""Forms as they are posted: bounded, and taken only from our own pages."""

from collections.abc import Mapping, Sequence
from hmac import compare_digest
from urllib.parse import parse_qsl

from starlette.requests import Request

from app.console.edge import is_written
from app.console.visit import Rejected

LARGEST = 131_072
"""Units: bytes."""

FIELDS = 2_000
OURS = frozenset({"same-origin", "none"})
"""What `Sec-Fetch-Site` says of what our own pages, or the officer, began."""

MARK = "csrf"

AGAIN = "This form is not one of this sign-in's, or has been open for too long. Load the page again, then repeat it."


class Form:
    """What was filled in. A name may stand more than once, as check boxes do."""

    def __init__(self, pairs: Sequence[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def text(self, name: str) -> str:
        """One value, without white space around it; empty if there is none."""
        return self._values.get(name, [""])[-1].strip()

    def exactly(self, name: str) -> str:
        """One value as it was typed."""
        return self._values.get(name, [""])[-1]

    def texts(self, name: str) -> tuple[str, ...]:
        """Every value of a name."""
        return tuple(self._values.get(name, ()))

    @property
    def values(self) -> Mapping[str, Sequence[str]]:
        """All of it."""
        return self._values


async def read_form(request: Request, mark: str) -> Form:
    """A form that bears this mark. Raises: Rejected."""
    if request.headers.get("sec-fetch-site", "same-origin") not in OURS:
        raise Rejected(AGAIN)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Rejected("This is no form. Send it from the page that it stands on.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST:
            raise Rejected("The form is larger than any that can be taken. Write less.")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except ValueError:
        raise Rejected("The form cannot be read. Load the page again, then repeat it.") from None
    if not is_written(text for pair in pairs for text in pair):
        raise Rejected(
            "Something in the form has characters in it that nobody can write. Type it anew, then repeat it."
        )
    form = Form(pairs)
    if not compare_digest(form.exactly(MARK).encode(), mark.encode()):
        raise Rejected(AGAIN)
    return form

"""Officers at their forms: a decision that is filled in and sent, and what a vendor hears of it."""

from typing import Any

import httpx

from app.policy.model import Grant
from app.policy.parse import parse_grant
from tests.console.office import Browser
from tests.requests.asking import ASKED, Asking

FILE = "tx/larkspur/grants/readwell.toml"
ROWS = {"schools": "elm", "grade_levels": "04, 05", "subjects": "", "enrollment": "", "history_years": ""}
ALL = [one["coordinate"] for one in ASKED["fields"]]
BOTH = "{ students(first: 1) { nodes { firstName middleName birthDate homelessStatus races } } }"
WHY = "A reading kit is lent out."


def ticked(*fields: str, **more: Any) -> dict[str, Any]:
    """A steward's form, with these fields ticked."""
    return {
        "deed": "approve",
        "reason": "The reading team asked for it.",
        "field": list(fields),
        "remove": ["Student.races"],
        "as.Student.middleName": "initial",
        "not_after": "2027-06-30",
        **ROWS,
        **more,
    }


async def sent(browser: Browser, number: int, filled: dict[str, Any], **changes: str) -> httpx.Response:
    """Open a request's page, fill in its form, and send it."""
    address = f"/console/requests/{number}"
    page = await browser.get(address)
    assert page.status_code == 200, page.text
    return await browser.send_form(page, address, **{**filled, **changes})


def asked_for(*fields: str, shown: str | None = None, **more: Any) -> dict[str, Any]:
    """A request for some fields."""
    each = [{"coordinate": one, "reason": WHY, **({"as": shown} if shown else {})} for one in fields]
    return {"purpose": "instruction", "fields": each, **more}


async def decide(browser: Browser, number: int, deed: str, *fields: str, **filled: Any) -> int:
    """Open a request's page, leave its form as it is but for what is filled in, and send it."""
    address = f"/console/requests/{number}"
    page = await browser.get(address)
    form = {"deed": deed, "reason": "As we agreed.", "enrollment": "", "field": list(fields), **filled}
    return (await browser.send_form(page, address, **form)).status_code


def grant_of(here: Asking) -> Grant:
    return parse_grant(FILE, here.grant.read_bytes())


async def state(here: Asking) -> str:
    """What the vendor is told of its newest request."""
    told = (await here.graph("{ requests { state } }"))["data"]["requests"]
    return str(told[0]["state"])

"""One officer's request: who is signed in, for which space, and how a page is answered.

INVARIANT: a `Visit` is made by the door alone, out of a session that stands.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, tzinfo
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.console.desk import Desk
from app.console.wording import ROLES
from app.errors import HomeroomError
from app.names import SpaceId
from app.officers.sessions import Session
from app.places import Place
from app.policy.authority import day_of, zone_of
from app.policy.model import DistrictPolicy, SpacePolicy

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
}

NAVIGATION = (
    ("/console", "To do"),
    ("/console/matrix", "Who reads what"),
    ("/console/requests", "Requests"),
    ("/console/disclosures", "Disclosures"),
    ("/console/students", "A student"),
    ("/console/opt-outs", "Opt-outs"),
    ("/console/policy", "Policy"),
)
"""Every page that stands in the line at the top, in its order."""

FORM = "form"
"""What the mark in a form is made for."""


class Absent(HomeroomError):  # noqa: N818 - it reads as what is the case
    """There is no such page, vendor, field, student or file in the officer's space."""


class Forbidden(HomeroomError):  # noqa: N818
    """The officer's role does not do that."""


class Rejected(HomeroomError):  # noqa: N818
    """A form that cannot be taken: what is wrong, then what to do."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of an officer who is signed in."""

    desk: Desk
    request: Request
    session: Session

    @property
    def space(self) -> SpaceId:
        """The officer's space, and the only one that there is."""
        return self.session.space

    @property
    def place(self) -> Place:
        """The space's databases."""
        return self.desk.places[self.session.space]

    @property
    def policy(self) -> SpacePolicy:
        """What is in force in the space."""
        return self.desk.policy(self.session.space)

    @property
    def district(self) -> DistrictPolicy | None:
        """The district's policy; None while it cannot be read."""
        return self.policy.district

    @property
    def zone(self) -> tzinfo:
        """The district's time zone."""
        return zone_of(self.district)

    @property
    def today(self) -> date:
        """The day that it is in the district."""
        return day_of(self.desk.now(), self.district)[0]

    @property
    def token(self) -> str:
        """What every form of this session bears."""
        return self.desk.seal.mark(FORM, self.session.id)

    def asked(self, name: str) -> str:
        """A parameter of the address, without white space around it; empty if it is not there."""
        return self.request.query_params.get(name, "").strip()

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """A page, with the officer's line at the top."""
        path = self.request.url.path
        known: Mapping[str, object] = {
            "visit": self,
            "space": self.space,
            "district_name": self.district.name if self.district else self.space,
            "zone": self.zone,
            "today": self.today,
            "role": ROLES[self.session.role],
            "csrf": self.token,
            "navigation": NAVIGATION,
            "here": max(
                (a for a, _ in NAVIGATION if path == a or (a != "/console" and path.startswith(f"{a}/"))),
                key=len,
                default="",
            ),
        }
        text = self.desk.templates.get_template(template).render({**known, **values})
        return HTMLResponse(text, status, HEADERS)

    def file(self, text: str, name: str, media: str = "text/csv; charset=utf-8") -> Response:
        """A file to be kept."""
        headers = {**HEADERS, "content-disposition": f'attachment; filename="{name}"'}
        return Response(text, 200, headers, media)

    def go(self, path: str) -> Response:
        """On to another page, after a form was taken."""
        return RedirectResponse(path, HTTPStatus.SEE_OTHER, HEADERS)

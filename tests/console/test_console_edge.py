"""What no person writes is refused at the edge, and whoever asks is given a page whatever fails; on both databases."""

import re
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlsplit

import pytest

from app.console.door import cookie
from app.console.openid import BACK, UNDER_WAY
from app.console.routes import DEEDS
from app.console.visit import Visit
from app.officers.accounts import add_officer
from app.signing_in import SignIn
from tests import worlds
from tests.console.office import SPACE, Office, fields, opened, words
from tests.console.recorded import ADDRESSES, FOR_DECIDERS

pytestmark = pytest.mark.anyio

EMAIL, PASSWORD = "a.ramos@larkspur.example", "a long enough password"
SIGN_IN, START = "/console/sign-in", "/console/sign-in/openid"
FORM = "application/x-www-form-urlencoded"

READ = {
    "/console/account": {"done"},
    "/console/disclosures": {"vendor", "field", "since", "until", "student", "before"},
    "/console/disclosures.csv": {"vendor", "field", "since", "until", "student", "before"},
    "/console/matrix": {"category", "sensitivity", "vendor", "state"},
    "/console/matrix.csv": {"category", "sensitivity", "vendor", "state"},
    "/console/opt-outs": {"done", "key", "client"},
    "/console/policy/file": {"path", "revision"},
    "/console/preview": {"request", "vendor", "purpose", "type"},
    "/console/students": {"key"},
}
"""Which parameters each page reads; that it reads these, and no other, is a test below."""

PUBLIC = {SIGN_IN: {"next", "space"}, START: {"next", "space"}, BACK: {"code", "state", "iss"}}

ATTACKS = [
    *(
        f"{path}?{name}={text}"
        for path, names in {**READ, **PUBLIC}.items()
        for name in names
        for text in ("%00", "%1b")
    ),
    *(f"{path}?x=1&{name}=ok&%00=1" for path, names in READ.items() for name in names),
    "/console/students/%00",
    "/console/students/a%00b",
    "/console/matrix/%00/%00/%00",
    "/console/vendors/%00",
    "/console/requests/%00",
    "/console/%00",
    f"/console/policy/file?path={SPACE}/district.toml%00&revision=%00",
]
"""What nobody can have written."""

ODD = [
    "/console/disclosures?until=9999-12-31",
    "/console/disclosures?since=0001-01-01",
    "/console/disclosures.csv?until=9999-12-31",
    f"/console/disclosures?before={'9' * 18}-{'9' * 18}",
    f"/console/students?key={'x' * 20_000}",
    "/console/students?key=%F0%9F%8D%8E",
    "/console/students/%ED%A0%80",
    "/console/disclosures?student=%ED%A0%80&vendor=%ED%A0%80&field=%ED%A0%80",
    "/console/matrix?category=%FF&vendor=%ED%A0%80",
    "/console/vendors/readwell?days=99999999999999",
    "/console/requests/%D9%A1",
    f"/console/requests/{'9' * 5_000}",
    "/console/preview?request=%D9%A1",
    f"/console/preview?request={'9' * 5_000}",
    "/console/preview?vendor=readwell&purpose=instruction&type=Query",
    "/console/%0d%0aset-cookie:%20x=1",
    "/console/sign-in?next=/console/%0d%0aset-cookie:%20x=1",
    "/console/static/..%2f..%2f..%2f..%2fetc%2fpasswd",
    "/console/static/%00",
]
"""What somebody can write, and no page expects."""


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    """A console on each kind of database."""
    server = request.getfixturevalue("postgres") if request.param == "postgres" else None
    async with opened(tmp_path_factory.mktemp("edge") / "home", server) as office:
        await add_officer(office.desk.rooms.control, SPACE, EMAIL, "steward", PASSWORD, now=worlds.NOW.timestamp())
        yield office


async def test_these_are_the_parameters_that_pages_read(both: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, set[str]] = {}

    def asked(visit: Visit, name: str) -> str:
        seen.setdefault(visit.request.url.path, set()).add(name)
        return visit.request.query_params.get(name, "").strip()

    monkeypatch.setattr(Visit, "asked", asked)
    steward = await both.officer()
    for address in (*ADDRESSES, *FOR_DECIDERS, "/console/preview?request=1"):
        assert (await steward.get(address)).status_code in {200, 404}
    assert seen == READ


async def test_threat_36_what_nobody_can_write_is_refused_by_every_page(both: Office) -> None:
    steward, stranger = await both.officer(), both.browser()
    for address in ATTACKS:
        for browser in (steward, stranger):
            page = await browser.get(address)
            assert page.status_code == 400, (address, page.text)
            assert "has characters in it that nobody can write" in words(page.text)
            assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
            assert "set-cookie" not in page.headers
            assert "Larkspur" not in page.text


async def test_threat_36_no_address_breaks_a_page_or_adds_a_header(both: Office) -> None:
    steward = await both.officer()
    for address in ODD:
        page = await steward.get(address)
        assert page.status_code in {200, 303, 400, 404}, (address, page.text)
        assert "set-cookie" not in page.headers
        assert "root:" not in page.text


async def test_threat_36_what_nobody_can_write_is_refused_in_every_form(both: Office) -> None:
    steward = await both.officer()
    mark = fields((await steward.get("/console/opt-outs")).text, "/console/opt-outs")["csrf"]
    for path in (*(path for path, _ in DEEDS), "/console/account", "/console/sign-out"):
        for sent in ("key=%00", "client=a%00b", "reason=%00", "current=%00", "deed=%1b", "%00=1"):
            page = await steward.post(path, content=f"csrf={mark}&{sent}", headers={"content-type": FORM})
            assert page.status_code == 400, (path, sent, page.text)
            assert "has characters in it that nobody can write" in words(page.text)
    lines = f"csrf={mark}&key=nobody&client=readwell&note=two%0D%0Alines%09"
    page = await steward.post("/console/opt-outs", content=lines, headers={"content-type": FORM})
    assert "no student with this key" in words(page.text)


@pytest.mark.parametrize("name", ["space", "email", "password", "next", "other"])
async def test_threat_37_what_nobody_can_write_signs_nobody_in(both: Office, name: str) -> None:
    browser = both.browser()
    typed = {"space": SPACE, "email": EMAIL, "password": PASSWORD, "next": "/console"}
    page = await browser.get(f"{SIGN_IN}?space={SPACE}")
    refused = await browser.send_form(page, SIGN_IN, **typed | {name: f"{typed.get(name, '')}\0"})
    assert refused.status_code == 400
    assert "has characters in it that nobody can write" in words(refused.text)
    assert (await browser.send_form(page, SIGN_IN, **typed)).status_code == 303


async def away(office: Office) -> Callable[[], None]:
    """Take the control database away; gives what puts it back."""
    url = office.desk.rooms.settings.control
    if url.startswith("sqlite"):
        await office.desk.rooms.control.dispose()
        files = [*office.home.glob("control.db*")]
        for file in files:
            file.rename(file.with_name(f"aside-{file.name}"))
        (office.home / "control.db").write_bytes(b"no database any more" * 1_000)

        def back() -> None:
            (office.home / "control.db").unlink()
            for file in files:
                file.with_name(f"aside-{file.name}").rename(file)

        return back
    server, name = office.postgres, urlsplit(url).path[1:]
    assert server is not None
    server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    server.run(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
    return lambda: server.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


async def test_a_control_database_that_does_not_answer_is_said_on_every_page_and_form(both: Office) -> None:
    steward, stranger = await both.officer(), both.browser()
    door = await stranger.get(f"{SIGN_IN}?space={SPACE}")
    page = await steward.get("/console/opt-outs")
    typed = {"space": SPACE, "email": EMAIL, "password": PASSWORD}

    back = await away(both)
    try:
        said = [
            *[await steward.get(address) for address in (*ADDRESSES, *FOR_DECIDERS, "/console/nowhere")],
            await steward.get(SIGN_IN),
            await stranger.send_form(door, SIGN_IN, **typed),
            await steward.send_form(page, "/console/opt-outs", key="x", client=""),
            await steward.send_form(page, "/console/sign-out"),
        ]
        for answer in said:
            assert answer.status_code == 503, (answer.request.url, answer.text)
            assert answer.headers["content-type"].startswith("text/html")
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
            assert re.search("does not answer|cannot be checked right now", words(answer.text))
            assert PASSWORD not in answer.text
        assert "The sign-in cannot be checked right now. Try again in a minute." in words(said[-3].text)
        # Neither begins nor ends a sign-in at a provider here; nothing is asked of the database.
        for address in (f"{START}?space={SPACE}", f"{BACK}?code=x&state=y"):
            answer = await stranger.get(address)
            assert answer.status_code == 403
            assert "did not let you in" in words(answer.text)
    finally:
        back()
    assert (await stranger.send_form(door, SIGN_IN, **typed)).status_code == 303
    assert (await steward.get("/console")).status_code == 200


async def test_somebody_who_comes_back_from_a_provider_while_the_control_database_is_away_is_told_so(
    both: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def identity(*_: object) -> dict[str, str]:
        return {"sub": "ramos", "groups": "Data stewards"}

    async def provider(*_: object) -> None:
        return None

    sign_in = SignIn("https://id.example", "homeroom", role_claim="groups", roles={"Data stewards": "steward"})
    monkeypatch.setattr("app.console.openid.identity", identity)
    monkeypatch.setattr("app.console.openid.provider", provider)
    monkeypatch.setattr("app.console.openid.provider_of", lambda *_: sign_in)
    kept = both.desk.seal.seal(UNDER_WAY, {"space": SPACE, "after": "/console", "session": {}})
    browser = both.browser({cookie(both.desk, UNDER_WAY): kept})
    back = await away(both)
    try:
        answer = await browser.get(f"{BACK}?code=x&state=y")
    finally:
        back()
    assert answer.status_code == 503
    assert "The sign-in cannot be checked right now." in words(answer.text)

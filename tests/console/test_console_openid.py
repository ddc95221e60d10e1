"""Officers sign in at a provider that we did not write: npm's `oidc-provider`, on its own pages."""

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import msgspec
import pytest

from app.console.openid import BACK, ENDPOINTS, UNDER_WAY, name_of, role_of
from app.signing_in import Console, SignIn
from tests.console.office import SPACE, Office, words

pytestmark = pytest.mark.anyio

HERE = Path(__file__).parent / "openid"
NODE = 20
SECRET = "a-secret-of-the-districts"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider that runs, and Larkspur's settings for it."""

    issuer: str
    sign_in: SignIn


@pytest.fixture(scope="module")
def node() -> str:
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        pytest.skip("oidc-provider needs node and npm. Install them (on Debian: apt-get install nodejs npm).")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(said.strip().removeprefix("v").partition(".")[0]) < NODE:
        pytest.skip(f"oidc-provider needs Node.js {NODE} or newer; here is {said.strip()}.")
    return found


@pytest.fixture(scope="module", params=["token", "userinfo"])
def issuer(node: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[str]:
    """Its address. Claims stand in the identity token, or are asked for."""
    folder = tmp_path_factory.mktemp("provider")
    for name in ("package.json", "package-lock.json", ".npmrc", "provider.js"):
        shutil.copy(HERE / name, folder / name)
    done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    command = [node, "provider.js", SECRET, f"http://127.0.0.1:8000{BACK}", request.param]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture
async def provider(issuer: str, office: Office) -> AsyncIterator[Provider]:
    """Larkspur has this provider; nobody else has one."""
    (office.home / "keys" / "larkspur-openid").write_text(f"{SECRET}\n")
    sign_in = SignIn(
        issuer=issuer,
        client_id="homeroom",
        client_secret_file="keys/larkspur-openid",
        role_claim="groups",
        roles={"Data stewards": "steward"},
        officers={"a.ramos@larkspur.example": "privacy-officer"},
    )
    use(office, sign_in)
    yield Provider(issuer, sign_in)
    use(office, None)


def use(office: Office, sign_in: SignIn | None) -> None:
    settings = office.desk.rooms.settings
    space = msgspec.structs.replace(settings.spaces[SPACE], sign_in=sign_in)
    office.desk.rooms.settings = msgspec.structs.replace(settings, spaces={**settings.spaces, SPACE: space})


async def at_the_provider(address: str, login: str) -> str:
    """Sign in on the provider's own pages and consent; gives the address that it sends the browser back to."""
    async with httpx.AsyncClient(timeout=60) as browser:
        for _ in range(12):
            if urlsplit(address).port == 8000:
                return address
            page = await browser.get(address)
            if page.is_redirect:
                address = urljoin(address, page.headers["location"])
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
            assert action, page.text
            prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
            assert prompt
            filled = {"prompt": prompt[1], "login": login, "password": "any"}
            sent = await browser.post(urljoin(address, unescape(action[1])), data=filled)
            assert sent.is_redirect, sent.text
            address = urljoin(address, sent.headers["location"])
    raise AssertionError("The provider never sent the browser back")


async def test_an_officer_comes_back_from_the_districts_provider_signed_in(office: Office, provider: Provider) -> None:
    browser = office.browser()
    page = await browser.get(f"/console/sign-in?space={SPACE}&next=/console/matrix")
    link = re.search(r'href="(/console/sign-in/openid[^"]*)"', page.text)
    assert link
    away = await browser.get(unescape(link[1]))
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert away.headers["location"].startswith(provider.issuer)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["nonce"]
    assert asked["response_type"] == ["code"]
    returned = await browser.get(await at_the_provider(away.headers["location"], "ramos"))
    assert returned.status_code == 303
    assert returned.headers["location"] == "/console/matrix"
    assert "a.ramos@larkspur.example privacy officer" in await browser.text("/console")


async def test_the_provider_sends_officers_back_to_where_the_console_is(office: Office, provider: Provider) -> None:
    settings, console = office.desk.rooms.settings, Console(address="https://console.larkspur.example")
    office.desk.rooms.settings = msgspec.structs.replace(settings, console=console)
    try:
        away = await office.browser().get(f"/console/sign-in/openid?space={SPACE}")
    finally:
        office.desk.rooms.settings = settings
    asked = parse_qs(urlsplit(away.headers["location"]).query)
    assert asked["redirect_uri"] == ["https://console.larkspur.example/console/sign-in/openid/back"]
    assert "Secure" in away.headers["set-cookie"]


async def test_a_claim_says_what_somebody_may_do(office: Office, provider: Provider) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    await browser.get(await at_the_provider(away.headers["location"], "chen"))
    # The provider says that the address is not proven, so it is not the name under which she decides.
    assert "chen steward" in await browser.text("/console")


@pytest.mark.parametrize("login", ["guest", "stranger"])
async def test_whoever_is_no_officer_is_not_let_in(office: Office, provider: Provider, login: str) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    returned = await browser.get(await at_the_provider(away.headers["location"], login))
    assert returned.status_code == 403
    assert "did not let you in" in words(returned.text)
    assert (await browser.get("/console")).status_code == 303


async def test_threat_36_an_answer_belongs_to_the_browser_that_began(office: Office, provider: Provider) -> None:
    victim, attacker = office.browser(), office.browser()
    away = await attacker.get(f"/console/sign-in/openid?space={SPACE}")
    address = await at_the_provider(away.headers["location"], "ramos")
    assert (await victim.get(address)).status_code == 403  # it never began
    await victim.get(f"/console/sign-in/openid?space={SPACE}")
    assert (await victim.get(address)).status_code == 403  # ... or another
    forged = office.browser({f"homeroom-{UNDER_WAY}": "x"})
    assert (await forged.get(address)).status_code == 403
    assert (await victim.get("/console")).status_code == 303


async def test_threat_36_an_answer_is_good_once(office: Office, provider: Provider) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    under_way = dict(browser.cookies)
    address = await at_the_provider(away.headers["location"], "ramos")
    assert (await browser.get(address)).status_code == 303
    assert (await office.browser(under_way).get(address)).status_code == 403


@pytest.mark.parametrize(
    "changed",
    [{"client_id": "another"}, {"client_secret_file": "keys/none"}, {"issuer": "http://127.0.0.1:9"}],
    ids=["client", "secret", "unreachable"],
)
async def test_a_provider_that_is_set_up_wrongly_lets_nobody_in(
    office: Office, provider: Provider, changed: dict[str, str]
) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    address = await at_the_provider(away.headers["location"], "ramos")
    use(office, msgspec.structs.replace(provider.sign_in, **changed))
    returned = await browser.get(address)
    assert returned.status_code == 403
    assert "did not let you in" in words(returned.text)


async def test_metadata_of_another_issuer_is_not_believed(office: Office, provider: Provider) -> None:
    use(office, msgspec.structs.replace(provider.sign_in, issuer=provider.issuer.replace("127.0.0.1", "localhost")))
    assert (await office.browser().get(f"/console/sign-in/openid?space={SPACE}")).status_code == 403


async def test_which_districts_have_a_provider_is_not_to_be_seen(office: Office, provider: Provider) -> None:
    pages = [await office.browser().get(f"/console/sign-in?space={name}") for name in (SPACE, "mn/quarry-lake", "x/y")]
    assert all("Sign in with your district" in page.text for page in pages)
    refused = [
        await office.browser().get(f"/console/sign-in/openid?space={name}") for name in ("mn/quarry-lake", "x/y")
    ]
    assert [page.status_code for page in refused] == [403, 403]
    assert {words(page.text) for page in refused} == {words(refused[0].text)}


async def test_a_session_from_a_provider_ends_with_it(office: Office, provider: Provider) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    await browser.get(await at_the_provider(away.headers["location"], "ramos"))
    assert (await browser.get("/console")).status_code == 200
    use(office, None)
    assert (await browser.get("/console")).status_code == 303


async def test_a_session_ends_with_the_role_that_it_began_with(office: Office, provider: Provider) -> None:
    browsers = {}
    for login in ("ramos", "chen"):
        browsers[login] = office.browser()
        away = await browsers[login].get(f"/console/sign-in/openid?space={SPACE}")
        await browsers[login].get(await at_the_provider(away.headers["location"], login))
    use(office, msgspec.structs.replace(provider.sign_in, officers={"A.Ramos@larkspur.example": "reader"}))
    assert (await browsers["ramos"].get("/console")).status_code == 303
    assert (await browsers["chen"].get("/console")).status_code == 200
    use(office, msgspec.structs.replace(provider.sign_in, roles={"Everybody": "reader"}))
    assert (await browsers["chen"].get("/console")).status_code == 303


async def test_whoever_signs_out_is_out_whatever_the_browser_kept(office: Office, provider: Provider) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    await browser.get(await at_the_provider(away.headers["location"], "ramos"))
    kept = dict(browser.cookies)
    mark = re.search(r'name="csrf" value="([^"]+)"', (await browser.get("/console")).text)
    assert mark
    await browser.post("/console/sign-out", data={"csrf": mark[1]})
    assert (await office.browser(kept).get("/console")).status_code == 303


@pytest.mark.parametrize("name", ["nonce", "code_challenge", "state"])
async def test_an_answer_to_another_question_is_not_taken(office: Office, provider: Provider, name: str) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    asked = re.sub(rf"(?<=[?&]{name}=)[^&]*", "A" * 43, away.headers["location"])
    assert asked != away.headers["location"]
    assert (await browser.get(await at_the_provider(asked, "ramos"))).status_code == 403
    assert (await browser.get("/console")).status_code == 303


async def test_an_answer_that_names_another_provider_is_not_taken(office: Office, provider: Provider) -> None:
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    told = await at_the_provider(away.headers["location"], "ramos")
    other = re.sub(r"(?<=[?&]iss=)[^&]*", "https%3A%2F%2Fid.other.example", told)
    assert other != told
    assert (await browser.get(other)).status_code == 403


async def test_an_identity_that_is_over_lets_nobody_in(office: Office, provider: Provider) -> None:
    use(office, msgspec.structs.replace(provider.sign_in, client_id="late"))
    browser = office.browser()
    away = await browser.get(f"/console/sign-in/openid?space={SPACE}")
    assert (await browser.get(await at_the_provider(away.headers["location"], "ramos"))).status_code == 403


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "a@x", "email_verified": True}, "reader"),
        ({"email": "A@X", "email_verified": True, "groups": ["Stewards"]}, "reader"),
        ({"email": "a@x", "email_verified": "true"}, None),
        ({"email": "a@x"}, None),
        ({"groups": "Stewards"}, "steward"),
        ({"groups": ["Privacy", "Stewards"]}, "steward"),
        ({"groups": [7, None, "Privacy"]}, "privacy-officer"),
        ({"groups": ["stewards"]}, None),
        ({"groups": None}, None),
        ({}, None),
    ],
)
async def test_roles_are_as_the_configuration_says(claims: dict[str, object], role: str | None) -> None:
    roles = {"Stewards": "steward", "Privacy": "privacy-officer"}
    sign_in = SignIn("https://id.example", "c", role_claim="groups", roles=roles, officers={"a@x": "reader"})  # type: ignore[arg-type]
    assert role_of(claims, sign_in) == role


@pytest.mark.parametrize(
    ("claims", "name"),
    [
        ({"email": "a@x", "email_verified": True, "sub": "1"}, "a@x"),
        ({"email": "a@x", "sub": "1"}, "a@x"),
        ({"email": "a@x", "email_verified": False, "sub": "1"}, "1"),
        ({"email": "", "sub": "1"}, "1"),
        ({"email": ["a@x"], "sub": "1"}, "1"),
        ({"sub": "a\nb"}, None),
        ({"email": "a@x\u0000", "sub": "1"}, None),
        ({"email": "a\u202e@x", "sub": "1"}, None),
        ({"sub": "x" * 300}, None),
    ],
)
def test_threat_36_nobody_decides_in_a_name_that_is_not_proven(claims: dict[str, object], name: str | None) -> None:
    assert name_of(claims) == name


@asynccontextmanager
async def saying(office: Office, **said: str) -> AsyncIterator[list[str]]:
    """A provider that says no more than what it is, and what it was asked."""
    asked: list[str] = []
    metadata: dict[str, str] = {}

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append((await reader.readuntil(b"\r\n\r\n")).split()[1].decode())
        body = json.dumps(metadata).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    metadata |= {"issuer": issuer, **{name: f"{issuer}/{name}" for name in ENDPOINTS}, **said}
    use(office, SignIn(issuer=issuer, client_id="homeroom", officers={"a@x": "reader"}))
    try:
        yield asked
    finally:
        use(office, None)
        server.close()


async def test_threat_37_whoever_asks_at_the_door_often_asks_no_provider_often(office: Office) -> None:
    async with saying(office) as asked:
        for _ in range(5):
            away = await office.browser().get(f"/console/sign-in/openid?space={SPACE}")
            assert away.status_code == 302
    assert asked == ["/.well-known/openid-configuration"]


@pytest.mark.parametrize("name", ENDPOINTS)
@pytest.mark.parametrize(
    "endpoint",
    [
        "http://169.254.169.254/latest",
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/latest",
        "http://db.internal:5432/",
        "https://user:word@id.example/",
        "file:///etc/passwd",
        "https://[",
        "",
    ],
)
async def test_threat_27_a_provider_leads_to_no_machine_of_this_network(
    office: Office, name: str, endpoint: str
) -> None:
    async with saying(office, **{name: endpoint}):
        refused = await office.browser().get(f"/console/sign-in/openid?space={SPACE}")
    assert refused.status_code == 403
    assert "did not let you in" in words(refused.text)

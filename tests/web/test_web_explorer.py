"""GraphiQL's page as it is served, and what it is made of."""

import re
from pathlib import Path

import httpx
import pytest
from graphql import parse, validate

from app.policy.decide import Reason
from app.web.explorer import routes
from app.web.site import site
from tests.conftest import ROOT
from tests.sandbox import COMPOSED

pytestmark = pytest.mark.anyio
SOURCES = ROOT / "app" / "web" / "graphiql"
QUERIES = sorted((SOURCES / "src" / "queries").glob("*.graphql"))


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A page that is built of our own page and one script."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index-1a2b.js").write_text("0")
    (tmp_path / "index.html").write_text((SOURCES / "index.html").read_text())
    return tmp_path


async def get(path: str, bundle: Path, *, sandbox: bool = False) -> httpx.Response:
    transport = httpx.ASGITransport(site(routes(sandbox=sandbox, bundle=bundle)))
    async with httpx.AsyncClient(transport=transport, base_url="http://homeroom.test") as client:
        return await client.get(path)


@pytest.mark.parametrize("path", ["/graphiql", "/graphiql/assets/index-1a2b.js"])
async def test_threat_22_page_and_workers_may_load_from_here_alone_and_run_no_text(bundle: Path, path: str) -> None:
    answer = await get(path, bundle)
    assert answer.status_code == 200
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["worker-src"] == policy["connect-src"] == policy["font-src"] == "'self'"
    assert policy["style-src"] == "'self' 'unsafe-inline'"
    assert policy["img-src"] == "'self' data:"
    assert "unsafe-eval" not in str(policy)


async def test_files_that_are_named_by_their_contents_are_kept_and_the_page_is_not(bundle: Path) -> None:
    assert "immutable" in (await get("/graphiql/assets/index-1a2b.js", bundle)).headers["cache-control"]
    assert (await get("/graphiql", bundle)).headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/graphiql/assets/../index.html", "/graphiql/assets/none.js", "/graphiql/index.html"])
async def test_nothing_else_of_the_folder_is_served(bundle: Path, path: str) -> None:
    assert (await get(path, bundle)).status_code == 404


async def test_only_the_page_of_a_sandbox_offers_vendors(bundle: Path) -> None:
    assert '<meta name="homeroom:sandbox" content="no" />' in (await get("/graphiql", bundle)).text
    assert '<meta name="homeroom:sandbox" content="yes" />' in (await get("/graphiql", bundle, sandbox=True)).text


async def test_a_page_that_was_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    answer = await get("/graphiql", tmp_path / "none")
    assert answer.status_code == 404
    assert "./run graphiql" in answer.text
    assert "npm ci && npm run build" in answer.text
    assert (await get("/graphiql/assets/index-1a2b.js", tmp_path / "none")).status_code == 404


@pytest.mark.parametrize("file", QUERIES, ids=lambda file: file.stem)
async def test_a_ready_query_is_good_and_says_first_what_it_shows(file: Path) -> None:
    text = file.read_text()
    assert re.match(r"# .+\.\n#\n# ", text)
    assert validate(COMPOSED.schema, parse(text)) == []


async def test_every_reason_of_a_denial_is_put_in_plain_words() -> None:
    explained = re.findall(r"^  ([A-Z_]+): \{", (SOURCES / "src" / "reasons.ts").read_text(), re.MULTILINE)
    assert sorted(explained) == sorted(Reason)


async def test_the_lock_names_no_registry_and_pins_every_package_by_its_hash() -> None:
    lock = (SOURCES / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    packages = re.findall(r'"node_modules/[^"]+": \{', lock)
    assert len(re.findall(r'"integrity": "sha512-', lock)) == len(packages) > 0

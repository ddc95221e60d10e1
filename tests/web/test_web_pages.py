"""What anyone may see."""

import httpx
import pytest

from app.web.pages import routes
from app.web.site import site

pytestmark = pytest.mark.anyio


async def get(path: str) -> httpx.Response:
    pages = routes(issuer="https://gate.example", sdl=lambda: "type Query { district: District }")
    transport = httpx.ASGITransport(site(pages))
    async with httpx.AsyncClient(transport=transport, base_url="http://homeroom.test") as client:
        return await client.get(path)


async def test_the_start_page_names_the_addresses_and_runs_no_script() -> None:
    page = await get("/")
    assert page.status_code == 200
    assert "https://gate.example/graphql" in page.text
    assert "https://gate.example/.well-known/oauth-authorization-server" in page.text
    assert '<a href="/graphiql">' in page.text
    assert '<a href="/schema.graphql">' in page.text
    assert "docs/developer.md" in page.text
    assert "<script" not in page.text
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy


async def test_the_schema_is_served_as_text() -> None:
    page = await get("/schema.graphql")
    assert page.text == "type Query { district: District }"

"""What can be found out without a token: how to get one."""

import pytest
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata

from .conftest import CATALOGUE, ISSUER, RESOURCE, Served

pytestmark = pytest.mark.anyio


async def test_the_server_s_metadata_is_valid_and_names_working_endpoints(served: Served) -> None:
    answer = await served.http.get("/.well-known/oauth-authorization-server")
    found = answer.json()
    document = AuthorizationServerMetadata(found)
    for key in document.REGISTRY_KEYS:
        # The standard asks for response types even where there is no authorization endpoint; there are none.
        if key not in {"authorization_endpoint", "response_types_supported"}:
            getattr(document, f"validate_{key}", lambda: None)()
    assert found["issuer"] == ISSUER
    assert found["response_types_supported"] == []
    assert found["scopes_supported"] == sorted(CATALOGUE)
    for name in ("token_endpoint", "revocation_endpoint"):
        assert (await served.http.post(found[name], data={"grant_type": "client_credentials"})).status_code == 401
    assert (await served.http.get(found["jwks_uri"])).json()["keys"]


async def test_each_space_has_its_own_metadata_and_no_other_has_any(served: Served) -> None:
    where = "/.well-known/oauth-protected-resource/spaces"
    found = (await served.http.get(f"{where}/tx/grand-bend")).json()
    assert found == {
        "resource": RESOURCE,
        "authorization_servers": [ISSUER],
        "scopes_supported": sorted(CATALOGUE),
        "bearer_methods_supported": ["header"],
    }
    for space in ("tx/other", "TX/grand-bend", "tx/..", "tx/grand-bend%2F.."):
        answer = await served.http.get(f"{where}/{space}")
        assert answer.status_code == 404


async def test_no_document_lists_the_districts(served: Served) -> None:
    """Who knows a district's name finds its space; who does not is told none."""
    assert (await served.http.get("/.well-known/oauth-protected-resource/spaces/ca/seaview")).status_code == 200
    for path in (
        "/.well-known/oauth-authorization-server",
        "/.well-known/oauth-protected-resource/graphql",
        "/oauth/openapi.json",
        "/oauth/jwks",
    ):
        answer = await served.http.get(path)
        assert answer.status_code == 200
        assert "seaview" not in answer.text

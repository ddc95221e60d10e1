"""OAuth by clients that we did not write: each is told the issuer, and finds and does the rest by itself.

npm's `openid-client`, Authlib's client and requests-oauthlib, against a real server at its own issuer's address.
"""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from authlib.integrations.httpx_client import OAuth2Client, OAuthError
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc.jwk import ECKey
from oauthlib.oauth2 import BackendApplicationClient, InvalidScopeError
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from app.installation import now
from app.names import SpaceId
from tests.conftest import ROOT
from tests.journeys.served import Server, Vendor, granting, made, served_here

HERE = Path(__file__).parent / "openid-client"
SPACE = "tx/grand-bend"
WELL_KNOWN = "/.well-known/oauth-authorization-server"
QUERY = "{ grant { client purpose } }"
NODE = 18  # the oldest that openid-client was seen to run on


@dataclass(frozen=True, slots=True)
class Issuer:
    """A server at its issuer's address, with a client that has a secret, one that signs, and another's token."""

    server: Server
    readwell: Vendor
    signer: str
    key: ECKey
    resource: str
    foreign: str

    def metadata(self) -> dict[str, Any]:
        """What the server says of itself."""
        found: dict[str, Any] = requests.get(self.server.url + WELL_KNOWN, timeout=60).json()
        return found

    def status(self, token: str) -> int:
        """What the graph says to a token."""
        return self.server.post(token, QUERY).status_code


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    home = made(tmp_path_factory.mktemp("issuer") / "home", None, {SPACE: ("Grand Bend ISD", "America/Chicago")})
    key = ECKey.generate_key("P-256", private=True)
    jwks = home.folder / "jwks.json"
    jwks.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    home.ok("client", "add", "signer", "--jwks", os.fspath(jwks))
    readwell, other = home.vendor("readwell"), home.vendor("mathlab")
    for client in ("readwell", "signer"):
        home.grant(SPACE, client, granting(client, {"Student": "firstName"}))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        home.config.write_text(home.config.read_text().replace("http://127.0.0.1:8000", f"http://127.0.0.1:{port}"))
        with served_here(home, now, listener) as server:
            foreign = server.token(other, SPACE, purpose="instruction")
            resource = home.settings.resource(SpaceId(SPACE))
            yield Issuer(server, readwell, "signer", key, resource, foreign)


def node() -> str:
    """A Node.js that is recent enough."""
    found = shutil.which("node")
    if found is None or shutil.which("npm") is None:
        pytest.skip("openid-client needs node and npm. Install them (on Debian: apt-get install nodejs npm).")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < NODE:
        pytest.skip(f"openid-client needs Node.js {NODE} or newer, and this is {version}.")
    return found


@pytest.fixture(scope="module")
def vendor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """openid-client, installed from its lock into a folder of its own."""
    node()
    folder = tmp_path_factory.mktemp("openid-client")
    for name in ("package.json", "package-lock.json", ".npmrc", "vendor.js"):
        shutil.copy(HERE / name, folder / name)
    done = subprocess.run(["npm", "ci"], cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
def test_openid_client_discovers_gets_looks_at_and_takes_back(issuer: Issuer, vendor: Path, method: str) -> None:
    client = issuer.readwell.id if method == "client_secret_basic" else issuer.signer
    key = json.dumps(issuer.key.as_dict(private=True))
    proof = {"SECRET": issuer.readwell.secret} if method == "client_secret_basic" else {"JWK": key}
    told = {"ISSUER": issuer.server.url, "RESOURCE": issuer.resource, "CLIENT": client, "FOREIGN": issuer.foreign}
    done = subprocess.run(
        [node(), "vendor.js"],
        cwd=vendor,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **told, **proof},
    )
    assert done.returncode == 0, done.stderr
    saw = json.loads(done.stdout)
    assert saw["issuer"] == issuer.server.url
    scope = saw["token"]["scope"]
    assert saw["token"] == {"type": "bearer", "expires": 300, "scope": scope, "purpose": "instruction"}
    assert saw["answer"] == {
        "status": 200,
        "body": {"data": {"grant": {"client": client, "purpose": "instruction"}}},
    }
    looked = saw["looked"]
    assert (looked["active"], looked["client_id"], looked["aud"]) == (True, client, issuer.resource)
    assert (looked["scope"], looked["exp"] - looked["iat"]) == (scope, 300)
    assert saw["foreign"] == saw["afterwards"] == {"active": False}
    assert (saw["escalated"], saw["elsewhere"]) == ("invalid_scope", "invalid_target")
    assert saw["refused"] == {"status": 401, "challenge": "invalid_token"}


@pytest.mark.parametrize("method", ["client_secret_basic", "private_key_jwt"])
def test_authlib_s_client_gets_looks_at_and_takes_back(issuer: Issuer, method: str) -> None:
    at = issuer.metadata()
    assert method in at["token_endpoint_auth_methods_supported"]
    if method == "client_secret_basic":
        client, secret = issuer.readwell.id, issuer.readwell.secret
    else:
        client, secret = issuer.signer, issuer.key
    methods = {f"{endpoint}_endpoint_auth_method": method for endpoint in ("token", "revocation")}
    with OAuth2Client(client, secret, scope="student/name.read", **methods) as session:
        session.register_client_auth_method(PrivateKeyJWT(at["token_endpoint"], alg="ES256"))
        token = session.fetch_token(at["token_endpoint"], resource=issuer.resource)
        assert (token["scope"], token["purpose"], token["expires_in"]) == ("student/name.read", "instruction", 300)
        assert issuer.status(token["access_token"]) == 200
        looked = session.introspect_token(at["introspection_endpoint"], token["access_token"]).json()
        assert (looked["active"], looked["client_id"]) == (True, client)
        assert session.introspect_token(at["introspection_endpoint"], issuer.foreign).json() == {"active": False}
        assert session.revoke_token(at["revocation_endpoint"], token["access_token"]).status_code == 200
        gone = session.introspect_token(at["introspection_endpoint"], token["access_token"]).json()
        assert gone == {"active": False}
        assert issuer.status(token["access_token"]) == 401
        with pytest.raises(OAuthError) as refused:
            session.fetch_token(at["token_endpoint"], resource=f"{issuer.resource}x")
        assert refused.value.error == "invalid_target"


def test_requests_oauthlib_gets_looks_at_and_takes_back(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # loopback
    at, readwell = issuer.metadata(), issuer.readwell
    proof = HTTPBasicAuth(readwell.id, readwell.secret)

    def fetch(scope: str) -> str:
        with OAuth2Session(client=BackendApplicationClient(readwell.id, scope=scope)) as session:
            token = session.fetch_token(at["token_endpoint"], auth=proof, resource=issuer.resource)
            answer = session.post(f"{issuer.server.url}/graphql", json={"query": QUERY})
            assert answer.json() == {"data": {"grant": {"client": readwell.id, "purpose": "instruction"}}}
            return str(token["access_token"])

    def look(token: str) -> Any:
        return requests.post(at["introspection_endpoint"], auth=proof, data={"token": token}, timeout=60).json()

    token = fetch("student/name.read")
    assert look(token)["scope"] == "student/name.read"
    url, headers, body = BackendApplicationClient(readwell.id).prepare_token_revocation_request(
        at["revocation_endpoint"], token
    )
    assert requests.post(url, auth=proof, headers=headers, data=body, timeout=60).status_code == 200
    assert look(token) == look(issuer.foreign) == {"active": False}
    assert issuer.status(token) == 401
    with pytest.raises(InvalidScopeError):
        fetch("student/ssn.read")


def test_a_client_finds_everything_from_a_refusal(issuer: Issuer) -> None:
    """From the graph's challenge to the space's metadata, to the server's, to the token endpoint: RFC 9728 §5."""
    challenge = requests.post(f"{issuer.server.url}/graphql", json={"query": QUERY}, timeout=60)
    where = challenge.headers["www-authenticate"].partition('resource_metadata="')[2].rstrip('"')
    space = requests.get(where, timeout=60).json()
    assert space["resource"] == issuer.resource
    (found,) = space["authorization_servers"]
    assert requests.get(found + WELL_KNOWN, timeout=60).json()["token_endpoint"] == f"{found}/oauth/token"


def blocks(language: str, issuer: Issuer) -> list[str]:
    """The examples of how to get a token, with this server's address in them."""
    page = (ROOT / "docs" / "learning-tool.md").read_text(encoding="utf-8")
    section = page.partition("## Get a token\n")[2].partition("\n## ")[0]
    found = re.findall(rf"^```{language}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [block.replace("https://homeroom.example", issuer.server.url) for block in found]


def test_the_examples_of_the_documentation_work_in_python(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # loopback
    by_secret, key, by_key = blocks("python", issuer)
    names: dict[str, Any] = {"SECRET": issuer.readwell.secret}
    exec(by_secret, names)
    assert names["answer"].json() == {"data": {"grant": {"purpose": "instruction"}}}
    exec(key, names)
    assert set(names["public"]["keys"][0]) == {"kty", "crv", "x", "y"}
    exec(by_key, names | {"key": issuer.key})


def test_the_example_of_the_documentation_works_in_javascript(issuer: Issuer, vendor: Path) -> None:
    (block,) = blocks("js", issuer)
    imported, _, rest = block.partition("\n\n")
    assert imported == "import * as client from 'openid-client';"
    loopback = rest.replace("'oauth2' }", "'oauth2', execute: [client.allowInsecureRequests] }")
    named = (
        "globalThis.crypto ??= (await import('node:crypto')).webcrypto;\nconst client = await import('openid-client');"
    )
    script = f"{named}\nconst SECRET = process.env.SECRET;\n{loopback}\nconsole.log(token.purpose);"
    (vendor / "documented.js").write_text(script)
    done = subprocess.run(
        [node(), "documented.js"],
        cwd=vendor,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "SECRET": issuer.readwell.secret},
    )
    assert (done.stdout, done.stderr) == ("instruction\n", "")


def test_the_lock_names_no_registry() -> None:
    assert "resolved" not in (HERE / "package-lock.json").read_text()

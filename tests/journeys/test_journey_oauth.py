"""What an operator or a vendor takes back is taken back in every worker within a second, while the server runs."""

from pathlib import Path

import requests
from requests.auth import HTTPBasicAuth

from app.cli.main import homeroom
from app.names import SpaceId
from tests.journeys.crowd import SECOND, SLACK, Crowd
from tests.journeys.served import Home, granting, made, served
from tests.journeys.test_journey_reload import codes

SPACE = "tx/larkspur"
QUERY = "{ students(first: 1) { nodes { firstName } } }"


def typed(home: Home, *words: str) -> None:
    """A command, run to its end in this process: there are many, and a process for each is dear."""
    homeroom.main(["--config", str(home.config), *words], standalone_mode=False)


def test_keys_clients_and_tokens_are_taken_back_in_every_worker_within_a_second(tmp_path: Path) -> None:
    home = made(tmp_path / "home", None, {SPACE: ("Larkspur ISD", "America/Chicago")})
    vendor = home.vendor("readwell", "student/name.read")
    home.grant(SPACE, vendor.id, granting(vendor.id, {"Student": "firstName"}))
    with served(home, "--workers", "2") as server:
        crowd = Crowd(server, server.token(vendor, SPACE), QUERY)
        crowd.gather()

        def statuses(wait: float = SECOND + SLACK) -> set[int]:
            return {answer.status_code for answer in crowd.everywhere(wait)}

        typed(home, "keys", "rotate")
        assert statuses() == {200}
        keys = {file.stem for file in (home.settings.keys_folder / "oauth").glob("*.json")}
        assert len(keys) == 2
        for session in crowd.sessions:  # every worker publishes the key that will sign next
            published = session.get(f"{server.url}/oauth/jwks", timeout=30).json()["keys"]
            assert {key["kid"] for key in published} == keys

        leaked = crowd.token
        typed(home, "keys", "rotate", "--now")
        assert statuses() == {401}
        crowd.token = server.token(vendor, SPACE)
        assert statuses(0) == {200}

        typed(home, "client", "suspend", vendor.id)
        assert {code for answer in crowd.everywhere() for code in codes(answer.json())} == {"CLIENT_SUSPENDED"}
        typed(home, "client", "resume", vendor.id)
        assert {code for answer in crowd.everywhere() for code in codes(answer.json())} == set()

        proof = HTTPBasicAuth(vendor.id, vendor.secret)
        for token in (leaked, crowd.token):
            form = {"token": token}
            assert requests.post(f"{server.url}/oauth/revoke", data=form, auth=proof, timeout=30).status_code == 200
        assert statuses() == {401}
        crowd.token = server.token(vendor, SPACE)
        assert statuses(0) == {200}

        typed(home, "client", "revoke", vendor.id)
        assert statuses() == {401}
        form = {"grant_type": "client_credentials", "resource": home.settings.resource(SpaceId(SPACE))}
        for session in crowd.sessions:
            assert session.post(f"{server.url}/oauth/token", data=form, auth=proof, timeout=30).status_code in (
                401,
                429,
            )

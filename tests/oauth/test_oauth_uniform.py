"""Somebody who is unknown costs what somebody who is known costs: the same statements, hashes and signatures."""

from collections import Counter
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey
from sqlalchemy import event

from app.oauth import registrant
from app.oauth.clients import State, rotate, set_state

from . import test_oauth_assertion as assertion
from .conftest import RESOURCE, Served

pytestmark = pytest.mark.anyio


async def work(served: Served, monkeypatch: pytest.MonkeyPatch, ask: Any) -> Counter[str]:
    """What a request made the server do."""
    done: Counter[str] = Counter()
    hash_of, verify = registrant.matches, jws.deserialize_compact

    def statement(_c: Any, _u: Any, text: str, *_: Any) -> None:
        done[text] += 1

    def matching(*given: Any) -> bool:
        done["hash"] += 1
        return hash_of(*given)

    def verifying(*given: Any, **named: Any) -> Any:
        done["signature"] += 1
        return verify(*given, **named)

    with monkeypatch.context() as patch:
        patch.setattr(registrant, "matches", matching)
        patch.setattr("joserfc.jwt.deserialize_compact", verifying)
        event.listen(served.control.sync_engine, "before_cursor_execute", statement)
        answer = await ask
        event.remove(served.control.sync_engine, "before_cursor_execute", statement)
    assert answer.status_code == 401
    return done


@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/introspect", "/oauth/revoke"])
async def test_threat_17_an_unknown_client_costs_what_a_wrong_secret_costs(
    served: Served, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    form = {"grant_type": "client_credentials", "resource": RESOURCE, "token": await served.token()}
    wrong = await work(served, monkeypatch, served.ask(path, **form, auth=("readwell", "wrong")))
    unknown = await work(served, monkeypatch, served.ask(path, **form, auth=("nobody", "wrong")))
    await rotate(served.control, "readwell", now=served.clock(), overlap=60)
    rotating = await work(served, monkeypatch, served.ask(path, **form, auth=("readwell", "wrong")))
    await set_state(served.control, "readwell", State.REVOKED)
    revoked = await work(served, monkeypatch, served.ask(path, **form, auth=("readwell", served.secret)))
    assert wrong["hash"] == 2
    assert unknown == wrong == rotating == revoked


async def test_threat_17_an_unknown_signer_costs_what_a_wrong_signature_costs(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    await assertion.signer(served)
    other = ECKey.generate_key("P-256", private=True)
    forged = [assertion.signed(assertion.claims(served, sub=sub, iss=sub), other) for sub in ("signer", "nobody")]
    wrong, unknown = [await work(served, monkeypatch, assertion.present(served, proof)) for proof in forged]
    assert wrong["signature"] == 1
    assert unknown == wrong

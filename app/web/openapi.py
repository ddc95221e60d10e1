"""The OAuth endpoints as an OpenAPI document, for whoever generates a client or tries them out.

Shape: made once from the server's own metadata, so that addresses, methods and scopes in it are this installation's.
INVARIANT: every OAuth route stands here, and every answer is of a status and a shape that stands here; tests see to it.
Spec: OpenAPI 3.1.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeAlias

from app import __version__
from app.oauth.proof import ALGORITHMS

PATH = "/oauth/openapi.json"
EXAMPLE = "tx/grand-bend"
"""A district to show what a space's address looks like: which ones there are is nowhere listed."""

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

Object: TypeAlias = dict[str, Any]

_INTRODUCTION = (
    "How a learning tool gets an access token for one district's space and one purpose, looks at its tokens and takes "
    "them back. A client proves who it is by its secret (HTTP Basic) or by an assertion that it signed "
    "(private_key_jwt), never by both. The graph itself is described by /schema.graphql."
)


def document(metadata: Mapping[str, Any]) -> Object:
    """The document of the server that has this metadata."""
    space = f"{metadata['issuer']}/spaces/{EXAMPLE}"
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homeroom: OAuth 2",
            "version": __version__,
            "description": _INTRODUCTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": metadata["issuer"]}],
        "paths": {**_posted(space, metadata), **_published(space, metadata)},
        "components": {
            "securitySchemes": {
                "client_secret_basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "client_id and client_secret. Left out by a client that sends an assertion.",
                }
            },
            "schemas": _schemas(metadata),
            "responses": _refusals(),
        },
    }


def _posted(space: str, metadata: Mapping[str, Any]) -> Object:
    """The endpoints that a client posts a form to."""
    token = {"token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIs…"}
    scope = " ".join(metadata["scopes_supported"][:2])
    asked = {"grant_type": "client_credentials", "resource": space, "purpose": "instruction", "scope": scope}
    signed = {"client_assertion_type": ASSERTION, "client_assertion": "eyJhbGciOiJFUzI1NiJ9…"}
    given = {"access_token": token["token"], "token_type": "Bearer", "expires_in": 300, "scope": scope}
    seen = {"active": True, "token_type": "Bearer", "client_id": "readwell", "sub": "readwell", "aud": space}
    seen |= {"iss": metadata["issuer"], "scope": scope, "purpose": "instruction", "jti": "zR3vQ0m1yKc"}
    return {
        "/oauth/token": _form(
            "get_token",
            "An access token for one space and one purpose (RFC 6749 §4.4, RFC 8707).",
            "TokenRequest",
            {"by_secret": asked, "by_signature": asked | signed},
            _answer("The token. Ask again when it is over.", "Token", {"token": given | {"purpose": "instruction"}}),
        ),
        "/oauth/introspect": _form(
            "introspect_token",
            "What a token of one's own says, and whether it is still good (RFC 7662).",
            "OwnToken",
            {"by_secret": token, "by_signature": token | signed},
            _answer(
                "The token. Another client's, one that is over and one that never was look alike: not active.",
                "Introspection",
                {"active": seen | {"iat": 1790000000, "exp": 1790000300}, "inactive": {"active": False}},
            ),
        ),
        "/oauth/revoke": _form(
            "revoke_token",
            "Take a token of one's own back (RFC 7009). Every server refuses it within a second.",
            "OwnToken",
            {"by_secret": token, "by_signature": token | signed},
            _answer("The token is not good, whatever it was before.", "Nothing", {"revoked": {}}),
        ),
    }


def _published(space: str, metadata: Mapping[str, Any]) -> Object:
    """The documents that anybody may read."""
    well_known = "/.well-known/oauth-protected-resource"
    ids = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}, "example": example}
        for name, example in zip(("state", "district"), [*space.split("/")[-2:]], strict=True)
    ]
    of_space = _read("space_metadata", "One district's space: who gives tokens for it (RFC 9728).", "ResourceMetadata")
    of_space["get"] |= {"parameters": ids}
    of_space["get"]["responses"]["404"] = {"$ref": "#/components/responses/NotFound"}
    return {
        "/oauth/jwks": _read("signing_keys", "The keys that access tokens are signed by (RFC 7517).", "Keys"),
        PATH: _read("openapi", "This document.", "Document"),
        "/.well-known/oauth-authorization-server": _read(
            "server_metadata",
            "Endpoints, scopes and ways to authenticate (RFC 8414).",
            "ServerMetadata",
            {"here": dict(metadata)},
        ),
        f"{well_known}/graphql": _read(
            "graph_metadata", "The graph: who gives tokens for it (RFC 9728).", "ResourceMetadata"
        ),
        f"{well_known}/spaces/{{state}}/{{district}}": of_space,
    }


def _form(name: str, summary: str, schema: str, examples: Object, answer: Object) -> Object:
    """An operation that takes a form from a client that proves who it is."""
    refused = {
        HTTPStatus.BAD_REQUEST: "BadRequest",
        HTTPStatus.UNAUTHORIZED: "Unauthenticated",
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "BadRequest",
        HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "BadRequest",
        HTTPStatus.TOO_MANY_REQUESTS: "Later",
        HTTPStatus.SERVICE_UNAVAILABLE: "Later",
    }
    body = {"schema": _ref(schema), "examples": {key: {"value": value} for key, value in examples.items()}}
    refusals = {str(int(status)): {"$ref": f"#/components/responses/{each}"} for status, each in refused.items()}
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "security": [{"client_secret_basic": []}, {}],
            "requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": body}},
            "responses": {"200": answer} | refusals,
        }
    }


def _read(name: str, summary: str, schema: str, examples: Object | None = None) -> Object:
    """An operation that gives a document to anybody."""
    responses = {"200": _answer("The document.", schema, examples or {})}
    return {"get": {"operationId": name, "summary": summary, "security": [], "responses": responses}}


def _answer(description: str, schema: str, examples: Object) -> Object:
    content: Object = {"schema": _ref(schema)}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"description": description, "content": {"application/json": content}}


def _refusals() -> Object:
    """What is answered when nothing is given."""
    challenge = {"WWW-Authenticate": {"schema": {"type": "string"}, "description": "Basic (RFC 7617)."}}
    wait = {"Retry-After": {"schema": {"type": "string"}, "description": "Seconds to wait."}}
    return {
        "BadRequest": _answer(
            "Something in the request is wrong; `error_description` says what, and what to do.",
            "Error",
            {"scope": _error("invalid_scope", "A scope asked for is not one that the client is registered for.")},
        ),
        "Unauthenticated": _answer(
            "The client is unknown or did not prove who it is: one and the same answer, whatever was wrong.",
            "Error",
            {"client": _error("invalid_client", "The client is unknown, or did not prove who it is.")},
        )
        | {"headers": challenge},
        "NotFound": _answer(
            "There is no such space.", "Error", {"space": _error("not_found", "There is no such space.")}
        ),
        "Later": _answer(
            "Too many failed attempts (429), or something does not answer (503). Nothing was given; try again later.",
            "Error",
            {"attempts": _error("temporarily_unavailable", "There were too many failed attempts.")},
        )
        | {"headers": wait},
    }


def _error(code: str, sentence: str) -> Object:
    return {"error": code, "error_description": sentence}


def _ref(schema: str) -> Object:
    return {"$ref": f"#/components/schemas/{schema}"}


def _text(description: str = "", **more: object) -> Object:
    return {"type": "string"} | ({"description": description} if description else {}) | more


def _object(required: str, **properties: Object) -> Object:
    return {"type": "object", "required": required.split(), "properties": properties}


def _schemas(metadata: Mapping[str, Any]) -> Object:
    strings = {"type": "array", "items": {"type": "string"}}
    seconds = {"type": "integer", "description": "Seconds since 1970."}
    proof = {
        "client_id": _text("May be repeated here; then it must be the one that is proved."),
        "client_assertion_type": _text("With an assertion.", const=ASSERTION),
        "client_assertion": _text(
            f"A JWT (RFC 7523) by a key that the client registered, {' or '.join(ALGORITHMS)}: iss and sub are the "
            "client_id, aud the issuer or the endpoint, exp at most an hour ahead, jti good once."
        ),
    }
    scope = _text("Scopes with one space between, each exactly as registered. Left out: all of the client's.")
    of_server = {name: strings if isinstance(value, list) else _text() for name, value in metadata.items()}
    return {
        "TokenRequest": _object(
            "grant_type resource",
            grant_type={"const": "client_credentials"},
            resource=_text("The space, as its metadata names it.", format="uri"),
            purpose=_text("One of the district's words. May be left out when the client's grants there have one."),
            scope=scope,
            **proof,
        ),
        "OwnToken": _object(
            "token", token=_text("An access token."), token_type_hint=_text("Not needed: there is one type."), **proof
        ),
        "Token": _object(
            "access_token token_type expires_in scope purpose",
            access_token=_text("A JWT (RFC 9068). Send it as it is."),
            token_type={"const": "Bearer"},
            expires_in={"type": "integer", "description": "Seconds."},
            scope=_text("What it carries."),
            purpose=_text("What it is for."),
        ),
        "Introspection": _object(
            "active",
            active={"type": "boolean"},
            token_type={"const": "Bearer"},
            **{name: _text() for name in ("client_id", "sub", "iss", "aud", "scope", "purpose", "jti")},
            iat=seconds,
            exp=seconds,
        ),
        "Nothing": {"type": "object", "maxProperties": 0},
        "Error": _object(
            "error error_description", error=_text("A code."), error_description=_text("What is wrong, what to do.")
        ),
        "Keys": _object("keys", keys={"type": "array", "minItems": 1, "items": _ref("Key")}),
        "Key": _object(
            "kty kid use alg crv x y",
            kty={"const": "EC"},
            crv={"const": "P-256"},
            use={"const": "sig"},
            alg={"const": "ES256"},
            **{name: _text() for name in ("kid", "x", "y")},
        ),
        "ServerMetadata": {"type": "object", "required": sorted(of_server), "properties": of_server},
        "ResourceMetadata": _object(
            "resource authorization_servers scopes_supported bearer_methods_supported",
            resource=_text("What a token is for.", format="uri"),
            **dict.fromkeys(("authorization_servers", "scopes_supported", "bearer_methods_supported"), strings),
        ),
        "Document": {"type": "object"},
    }

"""`/requests` as an OpenAPI document, whose form is made of the very one that is read. Spec: OpenAPI 3.1."""

from typing import Any

import msgspec

from app import __version__
from app.requests.form import Form

PATH = "/requests/openapi.json"

EXAMPLE = {
    "purpose": "instruction",
    "fields": [
        {"coordinate": "Student.birthDate", "reason": "Texts are chosen by age where a pupil has no reading level."},
        {
            "coordinate": "Student.lastSurname",
            "as": "initial",
            "reason": "Two pupils of one first name are told apart.",
        },
    ],
    "remove": ["Section.period"],
    "not_after": "2027-06-30",
    "rows": {"schools": ["255901107"], "grade_levels": ["03", "04"], "enrollment": "active"},
}
ANSWER = {
    "id": "pX3nGm1yQzB8uT0a",
    "address": "https://homeroom.example/requests/pX3nGm1yQzB8uT0a",
    "purpose": "instruction",
    "state": "OPEN",
    "askedAt": "2026-11-24T09:30:00Z",
    "decidedAt": None,
    "reason": None,
    "coordinates": [
        {"coordinate": "Student.birthDate", "transform": None, "reason": "Texts are chosen by age.", "approved": None}
    ],
}

Object = dict[str, Any]


def document(issuer: str) -> Object:
    """The document of the server at this address."""
    (form,), defined = msgspec.json.schema_components([Form], ref_template="#/components/schemas/{name}")
    name = form["$ref"].rpartition("/")[2]
    secured: list[dict[str, list[str]]] = [{"access_token": []}]
    refused = {
        str(status): {"$ref": "#/components/responses/Refused"} for status in (400, 401, 403, 413, 415, 429, 503)
    }
    unknown = {str(status): {"$ref": "#/components/responses/Refused"} for status in (401, 404, 429, 503)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Homeroom: asking a district for data",
            "version": __version__,
            "description": (
                "With an access token for a district's space a learning tool asks for more than it was granted, or for "
                "less. A request grants nothing: an officer of the district decides, and the grant that is in force "
                "goes on unchanged until then."
            ),
        },
        "servers": [{"url": issuer}],
        "paths": {
            "/requests": {
                "post": {
                    "operationId": "ask",
                    "summary": "Ask the district that the token is for.",
                    "security": secured,
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": form, "example": EXAMPLE}},
                    },
                    "responses": {"201": _answer("The request is kept, and an officer will see it."), **refused},
                }
            },
            "/requests/{id}": {
                "get": {
                    "operationId": "read",
                    "summary": "What became of a request of one's own.",
                    "security": secured,
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {"200": _answer("The request."), **unknown},
                }
            },
            PATH: {
                "get": {
                    "operationId": "openapi",
                    "summary": "This document.",
                    "security": [],
                    "responses": {
                        "200": {
                            "description": "The document.",
                            "content": {"application/json": {"schema": {"type": "object"}}},
                        }
                    },
                }
            },
        },
        "components": {
            "securitySchemes": {"access_token": {"type": "http", "scheme": "bearer"}},
            "schemas": {**defined, name: defined[name], "Request": _request(), "Errors": _errors()},
            "responses": {
                "Refused": {
                    "description": "Nothing was kept; the message says what is wrong, then what to do.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Errors"}}},
                }
            },
        },
    }


def _answer(description: str) -> Object:
    content = {"schema": {"$ref": "#/components/schemas/Request"}, "example": ANSWER}
    return {"description": description, "content": {"application/json": content}}


def _request() -> Object:
    text, perhaps = {"type": "string"}, {"type": ["string", "null"]}
    coordinate = {
        "type": "object",
        "required": ["coordinate", "transform", "reason", "approved"],
        "properties": {
            "coordinate": text,
            "transform": perhaps,
            "reason": text,
            "approved": {"type": ["boolean", "null"], "description": "None while nobody has decided."},
        },
    }
    return {
        "type": "object",
        "required": list(ANSWER),
        "properties": {
            **dict.fromkeys(("id", "address", "purpose", "askedAt"), text),
            "state": {"enum": ["OPEN", "WAITING", "APPROVED", "NARROWED", "REFUSED"]},
            "decidedAt": perhaps,
            "reason": perhaps,
            "coordinates": {"type": "array", "items": coordinate},
        },
    }


def _errors() -> Object:
    extensions = {
        "type": "object",
        "required": ["code"],
        "properties": {"code": {"type": "string"}, "problems": {"type": "array", "items": {"type": "string"}}},
    }
    error = {
        "type": "object",
        "required": ["message", "extensions"],
        "properties": {"message": {"type": "string"}, "extensions": extensions},
    }
    return {"type": "object", "required": ["errors"], "properties": {"errors": {"type": "array", "items": error}}}

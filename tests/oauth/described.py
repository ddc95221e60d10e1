"""Holds answers against the OpenAPI document: what a server says must be what it says that it says."""

import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator

FORM = "application/x-www-form-urlencoded"


class Description:
    """An OpenAPI document, ready to judge."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.paths = {
            path: re.compile(re.sub(r"{\w+}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}")))
            for path in document["paths"]
        }
        self._closed = close(document["components"])

    def path(self, address: str) -> str | None:
        """The documented path of an address."""
        return next((path for path, pattern in self.paths.items() if pattern.fullmatch(address)), None)

    def faults(self, value: object, schema: dict[str, Any]) -> list[str]:
        """What is wrong with a value; a member that is not documented is wrong."""
        validator = Draft202012Validator({**close(schema), "components": self._closed})
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def response(self, operation: dict[str, Any], status: int) -> dict[str, Any] | None:
        """What is documented of an answer, looked up where it is a reference."""
        found = operation["responses"].get(str(int(status)))
        if found is not None and "$ref" in found:
            found = self.document["components"]["responses"][found["$ref"].rpartition("/")[2]]
        assert found is None or isinstance(found, dict)
        return found

    async def judge(self, answer: httpx.Response) -> None:
        """For httpx's event hooks: fail on an answer that is not documented."""
        await answer.aread()
        request = answer.request
        path = self.path(request.url.path)
        if path is None:
            assert answer.status_code == 404, f"{request.url.path} is not documented"
            return
        operation = self.document["paths"][path].get(request.method.lower())
        if operation is None:
            assert answer.status_code == 405, f"{request.method} {path} is not documented"
            return
        told = self.response(operation, answer.status_code)
        assert told is not None, f"{request.method} {path}: {answer.status_code} is not documented"
        assert answer.headers["content-type"] == "application/json"
        assert self.faults(answer.json(), told["content"]["application/json"]["schema"]) == []
        assert set(told.get("headers", {})) <= {name.title().replace("Www", "WWW") for name in answer.headers}


def close(schema: Any) -> Any:
    """The same schema, in which no object has members but those that are named."""
    if isinstance(schema, list):
        return [close(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {name: close(value) for name, value in schema.items()}
    return closed | {"additionalProperties": False} if isinstance(closed.get("properties"), dict) else closed

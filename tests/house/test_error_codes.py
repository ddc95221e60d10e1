"""docs/learning-tool.md is complete: every code that a caller can meet stands there, and no code that is not there."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from authlib.oauth2 import OAuth2Error

from app import oauth

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "learning-tool.md"
CODE = re.compile(r"[A-Z]+(_[A-Z]+)+|UNAUTHENTICATED|UNAVAILABLE|INTERNAL")

SILENT = {"cli", "console", "importers", "main.py", "schema", "telemetry"}
"""What says nothing to a caller of the API: commands, pages, files, and the vocabulary of the records. All else may."""

NOT_CODES = {
    "BROKEN_OFF": "in log and metrics alone: whom it happens to hears nothing any more",
    "CALLER_LEFT": "likewise",
    "GIT_INDEX_FILE": "a variable of the environment",
    "IN_FORCE": "the state of a granted coordinate",
    "LC_ALL": "a variable of the environment",
    "NO_SUBSCRIPTIONS": "without policy alone: in a district's graph there are none",
}


def literals(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and CODE.fullmatch(node.value):
            yield node.value


def said() -> set[str]:
    """Every code in the source, those of denials too."""
    places = [place for place in (ROOT / "app").iterdir() if place.name not in SILENT]
    files = [file for place in places for file in ([place] if place.suffix == ".py" else place.rglob("*.py"))]
    return {code for file in files for code in literals(file)} - NOT_CODES.keys()


def documented() -> set[str]:
    return {code for code in re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")) if CODE.fullmatch(code)}


def test_every_code_stands_in_the_page_and_no_other() -> None:
    assert documented() == said()


def test_every_error_of_the_token_endpoint_stands_in_the_page() -> None:
    modules = [import_module(f"app.oauth.{module.name}") for module in pkgutil.iter_modules(oauth.__path__)]
    named = [one for module in modules for one in vars(module).values() if isinstance(one, type)]
    raised = {one.error for one in named if issubclass(one, OAuth2Error) and one.error}
    assert {"invalid_client", "invalid_scope", "invalid_target", "unauthorized_client"} <= raised
    assert raised - set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8"))) == set()

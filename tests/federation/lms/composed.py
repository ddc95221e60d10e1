"""The core and the gradebook, put together as `homeroom compose` does it."""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

from app.cli.composing import Schema, compose
from app.errors import Unavailable
from app.schema.build import sdl

GRADEBOOK = Path(__file__).with_name("gradebook.py")


@cache
def supergraph() -> Path:
    """Its file, made once. Skips, with the reason, where nothing can be composed."""
    gradebook = subprocess.run(
        [sys.executable, str(GRADEBOOK), "--sdl"], capture_output=True, text=True, check=True
    ).stdout
    try:
        made = compose([Schema("core", "", sdl()), Schema("lms", "", gradebook)])
    except Unavailable as error:
        pytest.skip(error.message)
    file = Path(tempfile.mkdtemp(prefix="homeroom-composed-")) / "supergraph.graphql"
    file.write_text(made, encoding="utf-8")
    return file

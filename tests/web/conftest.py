"""What tests of the edge stand on: the log as it would be written."""

import io
import logging
from collections.abc import Iterator

import pytest

from app.web.log import Lines


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the process logs, as it would be written."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(Lines())
    root, ours = logging.getLogger(), logging.getLogger("homeroom")
    former = ours.level
    root.addHandler(handler)
    ours.setLevel(logging.INFO)
    yield written
    root.removeHandler(handler)
    ours.setLevel(former)

"""The one graph over all sources: which source answers which root field."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.operation.decided import ROOT_TYPES

CORE = "core"
"""The space that the token names."""


@dataclass(frozen=True, slots=True)
class Supergraph:
    """Who answers what."""

    roots: Mapping[str, str]  # root field → source


def supergraph_of_one() -> Supergraph:
    """The core schema alone: a space without remote subgraphs."""
    return Supergraph({**dict.fromkeys(ROOT_TYPES, CORE), "node": CORE})

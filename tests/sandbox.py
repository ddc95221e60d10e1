"""The graph that the sandbox shows: the core with the learning registry."""

from app.cli.make_sandbox import SUPERGRAPH
from app.federation.remote import vocabulary
from app.federation.supergraph_sdl import read_supergraph

SDL = SUPERGRAPH.read_text(encoding="utf-8")
COMPOSED = read_supergraph(SDL)
VOCABULARY = vocabulary(SDL, COMPOSED, {})

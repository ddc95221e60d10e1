"""A PostgreSQL server that the tests and the benchmark start for themselves, and end.

Shape: `with server() as it: url = it.fresh()`. The server lies in a temporary folder, listens on loopback alone under
a password of its own, and is gone afterwards. PostgreSQL refuses to run as root; then it is run as `postgres`.
"""

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg

SECONDS_TO_START = 60
KEEP = 'read -r _; folder=$1; shift; "$@"; rm -rf -- "$folder"'


class NotInstalledError(Exception):
    """This machine has no PostgreSQL server."""


class Server:
    """A running server. Every database of it is empty, and asked for by `fresh`."""

    def __init__(self, port: int, password: str, again: Callable[[], None]) -> None:
        self.port = port
        self.password = password
        self.restart = again
        self._number = 0

    def url(self, database: str, role: str = "homeroom") -> str:
        """A database's URL as `homeroom.toml` has it."""
        return f"postgresql://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def fresh(self, template: str = "template0") -> str:
        """The URL of a new database: an empty one, or a copy of one that nobody is connected to."""
        self._number += 1
        name = f"fresh_{self._number}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def role(self) -> str:
        """A new role that may do nothing yet; its password is the server's."""
        self._number += 1
        name = f"role_{self._number}"
        self.run(f"CREATE ROLE {name} LOGIN PASSWORD '{self.password}'")
        return name

    def owned(self) -> str:
        """The URL of a new database whose role owns it and can read nothing else."""
        role, url = self.role(), self.fresh()
        database = url.rpartition("/")[2]
        self.run(f"ALTER DATABASE {database} OWNER TO {role}")
        return self.url(database, role)

    def run(self, statement: str, database: str = "postgres") -> None:
        """Run a statement as the server's superuser."""

        async def run() -> None:
            connection = await asyncpg.connect(self.url(database), timeout=20)
            try:
                await connection.execute(statement)
            finally:
                await connection.close()

        with ThreadPoolExecutor(1) as pool:  # so that a running test may ask too: a thread has an event loop of its own
            pool.submit(lambda: asyncio.run(run())).result()


def binaries() -> Path:
    """The folder of the newest PostgreSQL server here. Raises: NotInstalledError."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda program: int(program.parts[-3]) if program.parts[-3].isdigit() else 0,
    )
    if found:
        return found[-1].parent
    on_path = shutil.which("initdb")
    if on_path is None:
        raise NotInstalledError("PostgreSQL's server programs are neither in /usr/lib/postgresql nor on the PATH.")
    return Path(on_path).resolve().parent


def _account() -> pwd.struct_passwd | None:
    """Who shall run the server: ourselves, or, if we are root, `postgres` or `nobody`."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NotInstalledError("PostgreSQL does not run as root, and there is no user `postgres` or `nobody` here.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def server(*, durable: bool = False, settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server, and end it with its folder. `durable` syncs commits to disk, as a district's own server would.

    Raises: NotInstalledError.
    """
    programs, account = binaries(), _account()
    folder = Path(tempfile.mkdtemp(prefix="homeroom-postgres-"))
    data, log, said, secret = folder / "data", folder / "log", folder / "said", folder / "password"
    password = secrets.token_hex(16)
    secret.write_text(password)
    secret.chmod(0o600)
    if account is not None:
        for path in (folder, secret):
            os.chown(path, account.pw_uid, account.pw_gid)

    def run(*command: str) -> None:
        with said.open("ab") as output:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,  # a file: a pipe would be kept open by the server
                stderr=output,
                cwd=folder,
                timeout=SECONDS_TO_START * 2,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
                user=account.pw_uid if account else None,
                group=account.pw_gid if account else None,
                extra_groups=[] if account else None,
            )
        if done.returncode:
            text = "\n".join(path.read_text(errors="replace") for path in (said, log) if path.exists())
            raise RuntimeError(f"{Path(command[0]).name} failed: {text}")

    try:
        run(
            str(programs / "initdb"),
            *("--pgdata", str(data), "--username", "homeroom", "--pwfile", str(secret), "--no-sync"),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        )
        port = _free_port()
        chosen = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "fsync": "on" if durable else "off",
            "synchronous_commit": "on" if durable else "off",
            "max_connections": "200",
            **(settings or {}),
        }
        options = " ".join(f"-c {name}='{value}'" for name, value in chosen.items())
        control = [str(programs / "pg_ctl"), "--pgdata", str(data), "--wait", "--timeout", str(SECONDS_TO_START)]
        run(*control, "--log", str(log), "--options", options, "start")
        # INVARIANT: the server ends with us even if we are killed: its keeper waits for the end of a pipe that we hold.
        keeper = subprocess.Popen(
            ["sh", "-c", KEEP, "keeper", str(folder), *control, "--mode", "immediate", "stop"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        try:
            yield Server(port, password, lambda: run(*control, "--log", str(log), "--mode", "fast", "restart"))
        finally:
            keeper.communicate(timeout=SECONDS_TO_START)
    finally:
        shutil.rmtree(folder, ignore_errors=True)

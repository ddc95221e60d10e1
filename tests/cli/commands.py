"""Commands of the command line, run in this process."""

import sys
from pathlib import Path

import pytest

from app.cli.main import main


class Commands:
    """Runs one command; gives exit status, output and errors."""

    def __init__(self, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.home, self.monkeypatch, self.capsys = home, monkeypatch, capsys

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["homeroom", "--config", str(self.home / "homeroom.toml"), *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        said = self.capsys.readouterr()
        assert "Traceback" not in said.err
        assert "unforeseen" not in said.err, said.err
        return int(str(end.value.code)), said.out, said.err

"""The command of an operator: in this process, or in one of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.installation import Installation


def command(of: Installation | Path, *arguments: str) -> Result:
    """Run it in this process, with the configuration of an installation or in a file."""
    config = of if isinstance(of, Path) else of.config.path
    return CliRunner().invoke(cli, ["--config", str(config), *arguments])


def command_process(
    config: Path | None, *arguments: str | Path, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run it as an operator does, to its end."""
    line = [sys.executable, "-m", "gateway", "--config", str(config), *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, **options)

"""The command of an operator: in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from gateway.cli.main import cli
from gateway.installation import Installation
from gateway.sample.server import SampleServer

# Seconds from one call of a job to the next, with the taking of what came.
A_CALL = 0.05


def command(of: Installation | Path, *arguments: str, typed: str | None = None) -> Result:
    """Run it in this process, with the configuration of an installation or in a file; `typed` comes to its input."""
    config = of if isinstance(of, Path) else of.config.path
    return CliRunner().invoke(cli, ["--config", str(config), *arguments], input=typed)


def command_process(
    config: Path | None, *arguments: str | Path, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run it as an operator does, to its end."""
    line = [sys.executable, "-m", "gateway", "--config", str(config), *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, timeout=120, check=False, **options)


@contextlib.contextmanager
def klantbrug(run_log: Path, *arguments: str | Path, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command in a process of its own, its log kept; stopped at the end of the block."""
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with (run_log / "processes.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway", *map(str, arguments)],
            stdout=options.pop("stdout", subprocess.PIPE),
            stderr=options.pop("stderr", log),
            text=True,
            env=environ,
            start_new_session=True,
            **options,
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=15)
            if process.poll() is None:
                process.kill()
            process.wait()


def killed_after(server: SampleServer, calls: float, run_log: Path, *arguments: str | Path) -> bool:
    """Run the command and kill -9 it after so many of its calls, and a part of one more. Out: did it not end before?"""
    server.reset_calls()
    with klantbrug(run_log, *arguments) as process:
        while server.calls_count < math.floor(min(calls, sys.maxsize)) and process.poll() is None:
            time.sleep(0.002)
        try:
            assert process.wait(timeout=math.modf(calls)[0] * A_CALL) == 0
        except subprocess.TimeoutExpired:
            process.kill()
            return True
    return False

"""What a read costs in instructions of the processor: `python -m bench.instructions [--only NAME] [--beside TREE]
[--metrics]`.

Counted by valgrind (cachegrind), so the figure is the same on a busy machine, where answers per second are not. The
application is asked in one process, without a server. `--beside` is another working copy that has this bench, to
compare with. What waiting costs is not seen, nor that a processor does in one instruction what valgrind does in many
(hashes).
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from io import BytesIO
from pathlib import Path

from bench import places
from bench.read import API, QUESTIONS
from bench.register import fill
from bench.running import CONFIG, FOR_UUIDS
from gateway.config.load import load_config
from gateway.server.serve import make_app
from gateway.telemetry import running as telemetry

SCALE = 0.02
# Two numbers of questions: what they differ in is the questions alone, without the start.
FEW, MANY = 100, 500
METRICS = "\n[metrics]\nenabled = true\n"
HERE = Path(__file__).resolve().parent.parent


def ask(folder: Path, name: str, times: int, metrics: bool) -> None:
    """Ask a question so many times, of a store in this folder that is filled when it is not there."""
    path, config = folder / "register.sqlite", folder / "config.toml"
    register = fill(path, SCALE)
    config.touch(mode=0o600)
    text = CONFIG.format(
        host="127.0.0.1", port=9, workers=1, threads=1, store=places.keys(path), secret=FOR_UUIDS, gateway=""
    )
    config.write_text(text + (METRICS if metrics else ""), encoding="utf-8")
    app = make_app(load_config(config, {}))
    (question,) = (each for each in QUESTIONS if each.name == name)
    paths = [API + each for each in question.paths(register)][:200]
    statuses: list[str] = []
    for number in range(times):
        path_info, _, query = paths[number % len(paths)].partition("?")
        b"".join(app(_environ(path_info, query, register.token), lambda *said: statuses.append(said[0])))
    if any(not status.startswith("200") for status in statuses):
        raise SystemExit(f"{name}: {max(statuses)}")
    telemetry.end()  # what a thread tells of them is a part of it
    os._exit(0)  # what ending costs is no part of it


def _environ(path: str, query: str, token: str) -> dict[str, object]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_AUTHORIZATION": f"Token {token}",
        "HTTP_ACCEPT": "application/json",
        "HTTP_HOST": "127.0.0.1:9",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "9",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


def instructions(tree: Path, folder: Path, name: str, *more: str) -> int:
    """How many instructions one question takes, asked of this working copy."""
    counted = []
    for times in (1, FEW, MANY):  # the first fills the store
        tool = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
        command = [sys.executable, "-m", "bench.instructions", "--ask", name, str(folder), str(times), *more]
        environ = os.environ | {"PYTHONHASHSEED": "0", "PYTHONPATH": str(tree)}
        done = subprocess.run(
            command if times == 1 else [*tool, *command],
            cwd=tree,
            env=environ,
            check=True,
            capture_output=True,
            text=True,
        )
        found = re.search(r"I\s+refs:\s+([\d,]+)", done.stderr)
        counted.append(int(found[1].replace(",", "")) if found else 0)
    return (counted[2] - counted[1]) // (MANY - FEW)


def main() -> int:
    """Read the arguments, count, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.instructions", description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="questions with this in their name")
    parser.add_argument("--beside", type=Path, help="another working copy, counted first")
    parser.add_argument("--metrics", action="store_true", help="count too, as [metrics] says; not in TREE")
    parser.add_argument("--ask", nargs=3, metavar=("NAME", "FOLDER", "TIMES"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        ask(Path(given.ask[1]), given.ask[0], int(given.ask[2]), given.metrics)
    if not shutil.which("valgrind"):
        raise SystemExit("this needs valgrind, a package of most systems")
    trees = [given.beside.resolve(), HERE] if given.beside else [HERE]
    print(f"{'question':32}" + "".join(f"{tree.name:>14}" for tree in trees) + "   ratio")
    with tempfile.TemporaryDirectory(prefix="bench-") as made:
        for question in QUESTIONS:
            if given.only not in question.name or not question.paths:
                continue
            found = []
            for number, tree in enumerate(trees):
                folder = Path(made) / str(number)
                folder.mkdir(exist_ok=True)
                more = ("--metrics",) if given.metrics and tree is HERE else ()
                found.append(instructions(tree, folder, question.name, *more))
            print(
                f"{question.name:32}" + "".join(f"{each:14,}" for each in found),
                f"{found[-1] / found[0]:7.3f}",
            )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""What a change costs a read: `python -m bench.beside TREE [--rounds N] [--seconds S] [--only NAME]`.

TREE is another working copy, of before the change, with a `.venv` of its own. Each has a store that it filled itself,
and one worker; they are asked in turn, so that other work on the machine hits both alike. Reported is the median over
the rounds of ours divided by theirs: processor time of an answer, and answers a second.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from bench.load import request
from bench.read import API, QUESTIONS
from bench.register import Register
from bench.running import PRODUCTION, Running, python_of, running
from bench.watched import measure, silent

HERE = Path(__file__).resolve().parent.parent
# What each tree is asked to do for itself.
FILL = """
import dataclasses, json, sys
from pathlib import Path
from bench.register import fill
print(json.dumps(dataclasses.asdict(fill(Path(sys.argv[1]), float(sys.argv[2]))), default=str))
"""


def filled(tree: Path, store: Path, scale: float) -> Register:
    """A store that this working copy fills. Raises CalledProcessError."""
    command = [python_of(tree), "-c", FILL, str(store), str(scale)]
    done = subprocess.run(command, cwd=tree, check=True, capture_output=True, text=True)
    return Register(**json.loads(done.stdout.splitlines()[-1]))


def compare(name: str, servers: list[tuple[Running, list[bytes]]], rounds: int, seconds: float) -> None:
    """Ask both in turn and print a line."""
    times: list[float] = []
    rates: list[float] = []
    cost: list[float] = []
    for number in range(rounds + 1):
        before, after = (measure(server, asked, seconds) for server, asked in servers)
        if number:  # the first warms up
            times.append(after[0] / before[0])
            rates.append(after[1] / before[1])
            cost.append(after[0])
    print(f"{name:32}{median(cost):14.0f}{median(times):8.3f}{median(rates):18.3f}", flush=True)


def main() -> int:
    """Read the arguments, measure, report."""
    parser = argparse.ArgumentParser(prog="python -m bench.beside", description=__doc__.splitlines()[0])
    parser.add_argument("tree", type=Path, help="another working copy")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.0)
    parser.add_argument("--scale", type=float, default=0.2)
    parser.add_argument("--only", default="", help="questions with this in their name")
    parser.add_argument(
        "--quiet", action="store_true", help="ours without access log: for a TREE that has none"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-") as made, ExitStack() as stack:
        sides = []
        for number, tree in enumerate((given.tree.resolve(), HERE)):
            folder = Path(made) / str(number)
            folder.mkdir()
            store = folder / "register.sqlite"
            register = filled(tree, store, given.scale)
            quiet = "access_log = false" if given.quiet and tree is HERE else ""
            with silent():
                command = (*PRODUCTION, "--no-jobs")
                sides.append(
                    (
                        register,
                        stack.enter_context(running(folder, store, command, 1, 1, quiet, tree=tree)),
                    )
                )
        print(f"{given.rounds} rounds of {given.seconds} s, 1 worker, scale {given.scale}")
        print(f"{'question':32}{'microseconds':>14}{'ratio':>8}{'answers/s, ratio':>18}")
        for question in QUESTIONS:
            if given.only in question.name and question.paths:
                asked = [
                    (
                        server,
                        [
                            request(API + path, server.host, register.token)
                            for path in question.paths(register)
                        ],
                    )
                    for register, server in sides
                ]
                compare(question.name, asked, given.rounds, given.seconds)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""Runs the commands of the Containerfile in a clean folder, where no container can be built: `make image-check`.

A folder stands for the root of the image. `COPY` copies into it, `RUN` is run by sh with the folder's paths in the
variables of `ENV`, so a command may name a path of the image by such a variable alone. The base image is this machine's
Python: what a base image itself brings is not tried here.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CONTAINERFILE = ROOT / "Containerfile"


@dataclass
class Stage:
    """One stage of the build: its name, the folder that is its root, and what the instructions so far have set."""

    name: str
    root: Path
    env: dict[str, str] = field(default_factory=dict)
    workdir: str = "/"
    user: str = ""
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def at(self, path: str) -> Path:
        """Where a path of the image stands on this machine."""
        return self.root / (self.workdir if not path.startswith("/") else "").lstrip("/") / path.lstrip("/")

    def variables(self) -> dict[str, str]:
        """The environment of a command of this stage: paths of the image are paths in the folder."""
        made = {"PATH": os.defpath, "HOME": str(self.root / "tmp")}
        made |= {name: os.environ[name] for name in os.environ if name.startswith(("PIP_", "SSL_"))}
        made["PATH"] = os.environ["PATH"]
        for name, value in self.env.items():
            placed = ":".join(
                str(self.root) + each if each.startswith("/") else each for each in value.split(":")
            )
            made[name] = placed.replace("$PATH", made["PATH"])
        return made


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Containerfile: the word and what follows, continued lines in one."""
    lines = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in re.sub(r"\\\n\s*", " ", lines).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word, rest.strip()


def build(folder: Path, context: Path = ROOT) -> Stage:
    """Run all stages in a folder; the last one. Raises CalledProcessError when a command fails, ValueError on what
    this can't run."""
    stages: dict[str, Stage] = {}
    stage = Stage("", folder)
    for word, rest in instructions(CONTAINERFILE.read_text(encoding="utf-8")):
        match word:
            case "ARG" | "LABEL" | "VOLUME" | "EXPOSE" | "STOPSIGNAL" | "HEALTHCHECK":
                pass
            case "FROM":
                name = rest.split(" AS ")[1] if " AS " in rest else "image"
                stage = stages[name] = Stage(name, folder / name)
                (stage.root / "tmp").mkdir(parents=True)
            case "ENV":
                stage.env |= dict(each.split("=", 1) for each in shlex.split(rest))
            case "WORKDIR":
                stage.workdir = rest
                stage.at(rest).mkdir(parents=True, exist_ok=True)
            case "USER":
                stage.user = rest
            case "COPY":
                _copy(rest, stage, stages, context)
            case "RUN":
                print(f"{stage.name}: {rest}", flush=True)
                subprocess.run(["sh", "-euc", rest], cwd=stage.at("."), env=stage.variables(), check=True)
            case "ENTRYPOINT":
                stage.entrypoint = _listed(rest)
            case "CMD":
                stage.command = _listed(rest)
            case _:
                raise ValueError(f"{word} is not known here")
    return stage


def _listed(text: str) -> list[str]:
    """The words of an instruction in its form of a list."""
    return re.findall(r'"([^"]*)"', text)


def _copy(rest: str, stage: Stage, stages: dict[str, Stage], context: Path) -> None:
    words = rest.split()
    source = context
    if words[0].startswith("--from="):
        source = stages[words.pop(0).removeprefix("--from=")].root
    *names, target = words
    for name in names:
        taken, place = source / name.lstrip("/"), stage.at(target)
        if taken.is_dir():  # its contents, as COPY does
            shutil.copytree(
                taken,
                place,
                symlinks=True,
                dirs_exist_ok=True,
                ignore=shutil.ignore_patterns(*_ignored(source, context)),
            )
            _replace(place, str(source), str(stage.root))
        else:
            place = place / taken.name if target.endswith("/") else place
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(taken, place)


def _ignored(source: Path, context: Path) -> tuple[str, ...]:
    return ("__pycache__",) if source == context else ()


def _replace(place: Path, old: str, new: str) -> None:
    """Between stages the path of the folder changes, which it does not in an image: the scripts of a venv name it."""
    for script in (*place.glob("bin/*"), *place.glob("pyvenv.cfg")):
        if script.is_file() and not script.is_symlink():
            data = script.read_bytes()
            if old.encode() in data:
                script.write_bytes(data.replace(old.encode(), new.encode()))


def main() -> None:
    """Build in a folder of its own, show the version of what was built, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="klantbrug-image-"))
    try:
        image = build(folder)
        subprocess.run([*image.entrypoint, "--version"], env=image.variables(), cwd=image.at("."), check=True)
    finally:
        shutil.rmtree(folder)
    print("De opdrachten van het Containerfile slagen.", file=sys.stderr)


if __name__ == "__main__":
    main()

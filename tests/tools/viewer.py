"""Swagger UI, fetched anew by `make viewer` from the npm registry: into gateway/http/viewer, with its digests.

It needs npm, which nothing else of `make` does. VERSION is what is fetched.
"""

from __future__ import annotations

import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

from builders.paths import ROOT

VERSION = "5.35.0"
FOLDER = ROOT / "gateway" / "http" / "viewer"
TAKEN = ("swagger-ui-bundle.js", "swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.css", "LICENSE", "NOTICE")
DIGESTS = FOLDER / "digests.txt"
MAP = b"/*# sourceMappingURL=swagger-ui.css.map*/"


def digests() -> str:
    """A line for each file that is not ours: its digest, and its name."""
    return "".join(f"{hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()}  {name}\n" for name in TAKEN)


def main() -> None:
    """Fetch the files and write their digests."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["npm", "pack", "--silent", f"swagger-ui-dist@{VERSION}", "--pack-destination", folder],
            check=True,
        )
        (packed,) = Path(folder).glob("*.tgz")
        with tarfile.open(packed) as archive:
            for name in TAKEN:
                file = archive.extractfile(f"package/{name}")
                if file is None:
                    raise SystemExit(f"{name} is not in it")
                (FOLDER / name).write_bytes(file.read().replace(MAP, b"").rstrip() + b"\n")
    DIGESTS.write_text(digests(), encoding="utf-8")


if __name__ == "__main__":
    main()

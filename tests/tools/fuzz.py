"""schemathesis over our own OpenAPI document, against a freshly started, empty register.

    python tests/tools/fuzz.py [--max-examples N]

Every check but two: the recorded API is lenient where a schema is strict, and stricter by eleven-tests and references.
Exit 0 when no answer is a 5xx, breaks its schema or has a status that is not documented.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from gateway.cli.commands.demo import free_port
from gateway.config.load import ensure_secret, load_config
from gateway.http.auth import create_token
from gateway.installation import open_store

SEED = "20261123"
LEFT_OUT = "negative_data_rejection,positive_data_acceptance"


def main() -> int:
    """Run it; out: the exit code of schemathesis."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-examples", default="5", help="cases for each operation and phase")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="klantbrug-fuzz-") as folder:
        config = Path(folder) / "config.toml"
        port = free_port(9300)
        config.write_text(f'[gateway]\nbind = "127.0.0.1:{port}"\nregister = true\n')
        token = create_token(open_store(ensure_secret(load_config(config, {}))), "fuzz", "write")
        server = subprocess.Popen([sys.executable, "-m", "gateway", "--config", str(config), "serve"])
        try:
            base = f"http://127.0.0.1:{port}"
            wait_for(f"{base}/health/ready")
            return subprocess.run(
                [
                    str(Path(sys.executable).with_name("schemathesis")),
                    "run",
                    f"{base}/klantinteracties/api/v1/openapi.json",
                    *("-H", f"Authorization: Token {token}"),
                    *("--exclude-checks", LEFT_OUT),
                    *("--seed", SEED),
                    *("--max-examples", arguments.max_examples),
                ],
                check=False,
            ).returncode
        finally:
            server.terminate()
            server.wait(timeout=40)


def wait_for(url: str) -> None:
    """Wait until a server answers."""
    until = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())

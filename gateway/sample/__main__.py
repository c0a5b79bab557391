"""`python -m gateway.sample`: the sample Zaken API as a process, until Ctrl-C or SIGTERM."""

import signal
import threading
from pathlib import Path

import click

from gateway.sample.contents.dataset import default_paths, load
from gateway.sample.contents.earlier_objects import add_earlier
from gateway.sample.server import SampleServer
from gateway.sample.traps import Traps


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="On 127.0.0.1; 0 takes a free one.")
@click.option("--data", type=click.Path(exists=True, dir_okay=False), multiple=True, help="JSON Lines.")
@click.option("--trap", multiple=True, metavar="NAME=VALUE", help="Something that goes wrong.")
@click.option("--version", default="1.5.1", show_default=True, help="Version of the standard, 1.0 to 1.7.")
@click.option("--plain", is_flag=True, help="Without what Open Zaak adds to the standard.")
@click.option("--earlier", is_flag=True, help="With klanten and contactmomenten of an older contact system.")
def main(
    port: int, data: tuple[str, ...], trap: tuple[str, ...], version: str, plain: bool, earlier: bool
) -> None:
    """Serve synthetic zaken, rollen and klantcontacten as a Zaken API does."""
    traps = Traps()
    try:
        for assignment in trap:
            traps.set_from_text(assignment)
        paths = [Path(each) for each in data] or default_paths()
        dataset = add_earlier(load(paths)) if earlier else load(paths)
        server = SampleServer(dataset, port=port, version=version, open_zaak=not plain, traps=traps)
        server.start()
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    stop = threading.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, frame: stop.set())
    click.echo(f"sample Zaken API on {server.base_url}")
    # A wait without end cannot be interrupted by a signal on every platform.
    while not stop.wait(0.5):
        pass
    server.stop()


if __name__ == "__main__":
    main()

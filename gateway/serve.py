"""`klantbrug serve`: the application under gunicorn, with several worker processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from gateway.app import create_app
from gateway.config import Config, Gateway
from gateway.installation import open_installation


class Server(BaseApplication):
    """gunicorn, set up from our configuration; each worker makes the application for itself, after the fork."""

    def __init__(self, gateway: Gateway, make: Callable[[], Flask]) -> None:
        self.gateway = gateway
        self.make = make
        super().__init__()

    def load_config(self) -> None:
        """The settings of gunicorn. No access log: a query string holds a BSN."""
        settings: dict[str, Any] = {
            "bind": self.gateway.bind,
            "workers": self.gateway.workers,
            "threads": self.gateway.threads,
            "worker_class": "gthread",
            "accesslog": None,
            "errorlog": "-",
            "loglevel": "warning",
            "proc_name": "klantbrug",
            "keepalive": 30,
            "graceful_timeout": 30,
            "timeout": 120,
            "preload_app": False,
            "control_socket_disable": True,
        }
        for name, value in settings.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """The application of one worker."""
        return self.make()


def make_app(config: Config) -> Flask:
    """The application with everything that the configuration asks for. Raises StoreError."""
    installation = open_installation(config)
    return create_app(config, store=installation.store, hydrator=installation.hydrator())


def run_server(gateway: Gateway, make: Callable[[], Flask]) -> None:
    """Serve until a signal says stop what `make` gives; it is called once in every worker process."""
    Server(gateway, make).run()


def serve(config: Config) -> None:
    """Serve until a signal says stop. Raises StoreError when the store can't be used."""
    open_installation(config).store.close()  # schema and secret are judged once, before any worker starts
    run_server(config.gateway, lambda: make_app(config))

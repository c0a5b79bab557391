"""`klantbrug serve`: the application under gunicorn, with several worker processes."""

from __future__ import annotations

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from gateway.app import create_app
from gateway.config import Config
from gateway.installation import open_installation


class Server(BaseApplication):
    """gunicorn, set up from our configuration; each worker opens the store for itself, after the fork."""

    def __init__(self, config: Config) -> None:
        self.config = config
        super().__init__()

    def load_config(self) -> None:
        """The settings of gunicorn. No access log: a query string holds a BSN."""
        gateway = self.config.gateway
        settings: dict[str, Any] = {
            "bind": gateway.bind,
            "workers": gateway.workers,
            "threads": gateway.threads,
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
        return make_app(self.config)


def make_app(config: Config) -> Flask:
    """The application with everything that the configuration asks for. Raises StoreError."""
    installation = open_installation(config)
    return create_app(config, store=installation.store, hydrator=installation.hydrator())


def serve(config: Config) -> None:
    """Serve until a signal says stop. Raises StoreError when the store can't be used."""
    open_installation(config).store.close()  # schema and secret are judged once, before any worker starts
    Server(config).run()

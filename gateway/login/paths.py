"""Where logging in and out is, and to which paths of our own it may lead."""

from __future__ import annotations

from urllib.parse import urlsplit

LOGIN, LOGOUT, LOGGED_OUT = "/inloggen", "/uitloggen", "/uitgelogd"
LINKS, STYLE = f"{LOGIN}/link/", f"{LOGIN}/stijl.css"
THERE, BACK = f"{LOGIN}/aanbieder", f"{LOGIN}/terug"
ON_THE_WAY_SECONDS = 10 * 60


def safe_path(asked: str) -> str:
    """A path of our own to lead somebody to; "/" instead of anything else."""
    if not asked.startswith("/") or asked[1:2] == "/" or "\\" in asked or not asked.isprintable():
        return "/"
    parts = urlsplit(asked)
    return "/" if parts.scheme or parts.netloc else asked

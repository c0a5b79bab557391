"""What can come of a call to the register that we leave to, when that is not what was asked for."""

from __future__ import annotations

from typing import NamedTuple


class TargetError(Exception):
    """A call did not do what it was for. `template` is the call without values, `cause` a short word."""

    def __init__(self, template: str, cause: str) -> None:
        super().__init__(f"{template}: {cause}")
        self.template = template
        self.cause = cause


class Unsure(TargetError):
    """No answer came, or one that does not tell whether it was done (E3)."""


class NotSent(TargetError):
    """It surely was not done: no connection, or asked to come back later. `rest`: seconds that were asked for."""

    def __init__(self, template: str, cause: str, rest: float = 0.0) -> None:
        super().__init__(template, cause)
        self.rest = rest


class NoEntry(TargetError):
    """The register does not let us in, or does not serve this API: nothing else will succeed either."""


class NotThere(TargetError):
    """There is no such object there."""


class WrongParam(NamedTuple):
    """A field that was refused: its name and the code; never the reason, which may hold the value."""

    name: str
    code: str


class Declined(TargetError):
    """The register refuses what was sent (E5)."""

    def __init__(self, template: str, code: str, params: tuple[WrongParam, ...] = ()) -> None:
        super().__init__(template, code)
        self.code = code
        self.params = params

    @property
    def told(self) -> str:
        """The code and the fields, as they are kept and shown."""
        fields = ", ".join(dict.fromkeys(f"{param.name} {param.code}" for param in self.params))
        return f"{self.code}: {fields}" if fields else self.code

    def unique(self) -> bool:
        """May it be that the register has such an object already?"""
        return any(
            param.code == "unique" or param.name.endswith("__all__") or "partijIdentificator" in param.name
            for param in self.params
        )

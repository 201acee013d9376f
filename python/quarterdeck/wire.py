"""What an operation is on the wire, and the request that a call of it becomes."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, Mapping, NamedTuple, Optional, Protocol, Tuple
from urllib.parse import quote, urlencode


class Wire(NamedTuple):
    name: str
    method: str
    # With its parameters in braces.
    path: str
    # Whether the server recognises a repeat by its Idempotency-Key.
    keyed: bool


class CallOptions(NamedTuple):
    """How one call is carried out; what is None is as the client was made.

    timeout: seconds to wait for one answer, beyond the ``wait`` of the input
    retry_for: seconds that the call goes on trying while the server is away or busy; 0 tries once
    idempotency_key: by it the server knows a repeat; default: a new one for each call, kept over its tries
    """

    timeout: Optional[float] = None
    retry_for: Optional[float] = None
    idempotency_key: Optional[str] = None


class Send(Protocol):
    """Carries one call out; what the generated methods are given."""

    def __call__(self, wire: Wire, given: Mapping[str, Any], options: Optional[CallOptions]) -> Any: ...


def request_of(wire: Wire, given: Mapping[str, Any]) -> Tuple[str, Optional[bytes]]:
    """Path parameters go into the address; the rest is the query, or the JSON body of methods that have one. What is
    None is not given."""
    rest: Dict[str, Any] = {name: value for name, value in given.items() if value is not None}

    def parameter(match: "re.Match[str]") -> str:
        value = rest.pop(match.group(1), None)
        if not isinstance(value, str) or value == "":
            raise TypeError(f'"{match.group(1)}" must be a text that is not empty')
        return quote(value, safe="")

    path = re.sub(r"\{(\w+)\}", parameter, wire.path)
    if wire.method not in ("GET", "DELETE"):
        # NaN and Infinity are no JSON.
        return path, json.dumps(rest, ensure_ascii=False, allow_nan=False).encode()
    query = urlencode({name: _query_text(value) for name, value in rest.items()})
    return (f"{path}?{query}" if query else path), None


def _query_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ",".join(value) if isinstance(value, list) else str(value)

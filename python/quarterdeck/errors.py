"""What a call can fail with: one class, whose ``code`` says what happened. Codes that begin with ``sdk.`` are the
client's own."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional

# Statuses by which a proxy or the server says "later".
LATER = frozenset([408, 429, 502, 503, 504, 507])


class QuarterdeckError(Exception):
    """``status`` is 0 when no answer came; ``retryable`` says whether the same call may succeed later unchanged;
    ``request_id`` names the request in the server's logs."""

    def __init__(
        self,
        code: str,
        status: int,
        detail: str,
        *,
        hint: Optional[str] = None,
        request_id: Optional[str] = None,
        retryable: bool = False,
    ) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.status = status
        self.detail = detail
        self.hint = hint
        self.request_id = request_id
        self.retryable = retryable


def unreachable(url: str, reason: object) -> QuarterdeckError:
    """No answer came, or none that is the server's; what was asked may have been done."""
    hint = "Is Quarterdeck running there? Check QUARTERDECK_URL."
    return QuarterdeckError("sdk.unreachable", 0, f"no server answers at {url} ({reason})", hint=hint, retryable=True)


def timed_out(seconds: float) -> QuarterdeckError:
    return QuarterdeckError("sdk.timed_out", 0, f"no answer within {seconds:g} s", retryable=True)


def error_of(status: int, data: bytes) -> QuarterdeckError:
    """The error that an answer stands for, whoever wrote it: the server, or something between."""
    body = object_of(data)
    if status < 400 or body is None or not isinstance(body.get("code"), str):
        return QuarterdeckError(
            "sdk.bad_answer",
            status,
            f"something answered that is not Quarterdeck (status {status})",
            hint="Check QUARTERDECK_URL, and what stands between here and the server.",
            retryable=status in LATER,
        )
    return QuarterdeckError(
        body["code"],
        status,
        _text(body.get("detail")) or "",
        hint=_text(body.get("hint")),
        request_id=_text(body.get("request_id")),
        retryable=body.get("retryable") is True or status in LATER,
    )


def object_of(data: bytes) -> Optional[Dict[str, Any]]:
    """The JSON object that the bytes are; None when they are none."""
    try:
        value = json.loads(data)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _text(value: object) -> Optional[str]:
    return value if isinstance(value, str) else None

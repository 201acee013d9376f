"""A job in hand, as its handler sees it, and what the handler may raise to say how it ended."""

from __future__ import annotations

import json
import math
from typing import Any, Callable, Dict, List, Optional

from .client import Quarterdeck
from .errors import QuarterdeckError
from .held_jobs import HeldJobs, Hold, LeaseLost
from .steps import Steps

# The server's bounds.
RESULT_BYTES = 256 * 1024
ERROR_LENGTH = 8_000
LONGEST_RETRY = 7 * 86_400.0
LONGEST_PAUSE = 86_400.0


class GiveUp(Exception):
    """Raised by a handler when a further try cannot help: the job ends at once."""


class RateLimited(Exception):
    """Raised by a handler whose provider refuses for so many seconds: the job is tried again after that, and until then
    nothing else of its channel starts, on no worker."""

    def __init__(self, seconds: float, message: Optional[str] = None) -> None:
        super().__init__(message or f"the provider refuses for {seconds:g} s")
        self.seconds = seconds


class Ask(Exception):
    """Raised by a handler that will not go on without an operator's decision: the job waits, held by nobody. Once it is
    approved its next attempt has ``job.approval``; keep in a step what it must not find anew."""

    def __init__(
        self,
        summary: str,
        details: Optional[Dict[str, Any]] = None,
        *,
        expires_in_seconds: Optional[int] = None,
        deciders: Optional[List[str]] = None,
    ) -> None:
        super().__init__(summary)
        asked = {"summary": summary, "details": details, "expires_in_seconds": expires_in_seconds, "deciders": deciders}
        self.approval = {name: value for name, value in asked.items() if value is not None}


class Leaving(Exception):
    """Why jobs are cancelled when their worker leaves before they are done."""


class Job:
    """A job in hand, as its handler sees it."""

    def __init__(self, qd: Quarterdeck, hold: Hold, held: HeldJobs) -> None:
        claimed = hold.job
        self.id = claimed["id"]
        self.kind = claimed["kind"]
        self.queue = claimed["queue"]
        self.tenant = claimed["tenant"]
        self.attempt = claimed["attempt"]
        self.max_attempts = claimed["max_attempts"]
        self.created_at = claimed["created_at"]
        self.payload = claimed["payload"]
        self.channel = claimed["channel"]
        self.run_until = claimed["run_until"]
        #: What an operator decided about it, when it was asked for; told once.
        self.approval = claimed.get("approval")
        #: The trace of who added it, where traces are recorded; what ``qd`` does belongs to it.
        self.traceparent = claimed.get("traceparent")
        #: Acts as the tenant of the job, while the lease is valid.
        self.qd = qd.with_token(claimed["token"], self.traceparent)
        #: An event that is set when the lease is lost (cancelled, out of time, …) or when the worker must leave. Long work
        #: looks at it, or sleeps by ``job.cancelled.wait(seconds)``.
        self.cancelled = hold.cancelled
        self._hold = hold
        self._held = held
        self._steps = Steps(qd, hold, held)

    def keep(self) -> None:
        """Call it between the steps of long work, and before what must not be done by two. It says that the handler is
        alive, and raises LeaseLost when the job may be somebody else's."""
        self._held.keep(self._hold)

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        """A part of the work that is done once: what it gives is kept with the job as JSON, and a further attempt gets it
        without ``work`` being called again. The name is the same in every attempt."""
        return self._steps.step(name, work)

    def progress(self, fraction: Optional[float] = None, message: Optional[str] = None) -> None:
        """How far the job is, from 0 to 1, in words, or both: shown with the job from the next renewal on. Costs no
        request."""
        self._held.progress(self._hold, fraction, message)

    def emit(self, event_type: str, payload: Optional[Dict[str, Any]] = None, *, once: Optional[str] = None) -> None:
        """Appends an event about this job. With ``once`` a further attempt at the job does not append it again: of all
        events with the same word the first one stays."""
        self._held.sign(self._hold)
        try:
            self.qd.event.append(
                event_type=event_type,
                payload=payload or {},
                subject=f"job:{self.id}",
                id=None if once is None else f"{self.id}:{once}",
            )
        except QuarterdeckError as error:
            if once is None or error.code != "log.event_id_reused":
                raise


#: What it returns is the result of the job; what it raises is the reason why the job failed.
Handler = Callable[[Job], Any]


def ending_of(result: Any) -> Dict[str, Any]:
    """What the handler's answer says. What is no JSON, or too much of it, fails here, as the handler's fault."""
    size = len(json.dumps(result, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())
    if size > RESULT_BYTES:
        raise GiveUp(f"the result has {size} bytes; at most {RESULT_BYTES} are kept")
    return {"outcome": "done", "result": result}


def failure_of(error: BaseException, hold: Hold) -> Optional[Dict[str, Any]]:
    """What the handler raised says; None when nothing is to be reported, for the job is not ours any more."""
    if isinstance(error, LeaseLost) or isinstance(hold.reason, LeaseLost):
        return None
    if isinstance(error, Ask):
        return {"outcome": "ask", "approval": error.approval}
    text = str(error)[:ERROR_LENGTH] or type(error).__name__
    if isinstance(error, GiveUp):
        return {"outcome": "failed", "error": text, "retry": False}
    if isinstance(error, RateLimited):
        seconds = max(0.0, error.seconds) if math.isfinite(error.seconds) else 0.0
        return {
            "outcome": "failed",
            "error": text,
            "retry_in_seconds": min(seconds, LONGEST_RETRY),
            "pause_channel_seconds": min(seconds, LONGEST_PAUSE),
        }
    if hold.reason is not None:
        # It was stopped, it has not failed: somebody else may go on with it at once.
        return {"outcome": "failed", "error": str(hold.reason), "retry_in_seconds": 0}
    return {"outcome": "failed", "error": text}

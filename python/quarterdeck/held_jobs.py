"""The jobs of which a worker has the lease. One request renews all of them, sent by the worker's own loop: a handler that
gives no sign for too long loses them."""

from __future__ import annotations

import math
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Optional

from .errors import QuarterdeckError
from .operations import JobClaimOutputJobsItem
from .wire import CallOptions

if TYPE_CHECKING:
    from .client import Quarterdeck

# The server's bound.
MOST_MESSAGE = 500

_SAID = {
    "away": "the server was away for longer than the lease",
    "stalled": "its handler gave no sign for too long",
}


class LeaseLost(Exception):
    """Raised to a handler: its job may be somebody else's by now, so it stops without an outcome. ``reason``: what the
    server said (expired, taken, ended, timeout, cancelled, budget, …), ``stalled`` when the handler gave no sign for too
    long, or ``away`` when the server was gone for longer than the lease."""

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(f"{job_id}: {_SAID.get(reason, reason)}")
        self.reason = reason


class Hold:
    """One job in hand. Everything in it is changed under the lock of its HeldJobs."""

    def __init__(self, job: JobClaimOutputJobsItem, claimed_at: float, lease_seconds: float) -> None:
        self.job = job
        #: Set when the lease is lost, or when the worker must leave; ``reason`` says why.
        self.cancelled = threading.Event()
        self.reason: Optional[Exception] = None
        #: No renewal goes beyond: the end of its ``max_runtime``.
        self.ends_at = claimed_at + lease_seconds + _runtime_beyond_lease(job)
        self.renewed_at = claimed_at
        #: When its handler last gave a sign; infinity once it has ended and the outcome waits to be heard.
        self.sign_at = time.monotonic()
        self.stalled = False
        #: What its handler said of its progress and no renewal has carried yet.
        self.progress: Optional[Dict[str, Any]] = None

    def cancel(self, reason: Exception) -> None:
        if self.reason is None:
            self.reason = reason
        self.cancelled.set()


class HeldJobs:
    """``stall_seconds``: how long a job is kept whose handler gives no sign."""

    def __init__(
        self, qd: Quarterdeck, lease_seconds: int, stall_seconds: float, log: Callable[[str], None]
    ) -> None:
        self._qd = qd
        self._lease_seconds = lease_seconds
        self._stall_seconds = stall_seconds
        self._log = log
        self._holds: Dict[str, Hold] = {}
        self._lock = threading.Lock()
        self._renewing = threading.Lock()

    def __len__(self) -> int:
        with self._lock:
            return len(self._holds)

    @property
    def all_stalled(self) -> bool:
        """Whether there are jobs in hand, and not one of them gives a sign any more."""
        with self._lock:
            return bool(self._holds) and all(hold.stalled for hold in self._holds.values())

    def add(self, job: JobClaimOutputJobsItem, claimed_at: float) -> Hold:
        """``claimed_at``: when the claim was sent, by ``time.monotonic()``."""
        hold = Hold(job, claimed_at, self._lease_seconds)
        with self._lock:
            self._holds[job["id"]] = hold
        return hold

    def has(self, job_id: str) -> bool:
        with self._lock:
            return job_id in self._holds

    def forget(self, job_id: str) -> None:
        with self._lock:
            self._holds.pop(job_id, None)

    def sign(self, hold: Hold) -> None:
        """The handler is alive."""
        with self._lock:
            hold.sign_at = max(hold.sign_at, time.monotonic())
            hold.stalled = False

    def progress(self, hold: Hold, fraction: Optional[float], message: Optional[str]) -> None:
        """How far the handler says to be; goes with the next renewal."""
        self.sign(hold)
        said: Dict[str, Any] = {}
        if fraction is not None and not math.isnan(fraction):
            said["fraction"] = min(1.0, max(0.0, fraction))
        if message is not None:
            said["message"] = message[:MOST_MESSAGE]
        with self._lock:
            hold.progress = said

    def finished(self, hold: Hold) -> None:
        """The handler has ended: the lease is kept until the outcome is heard."""
        with self._lock:
            hold.sign_at = math.inf

    def cancel_all(self, reason: Exception) -> None:
        """For who leaves. The jobs stay held until their outcomes are heard."""
        with self._lock:
            for hold in self._holds.values():
                hold.cancel(reason)

    def keep(self, hold: Hold) -> None:
        """Asks before a step that must not be done by two: raises LeaseLost when the lease may not be valid any more."""
        self.sign(hold)
        job_id = hold.job["id"]
        if self.has(job_id) and self._is_due(hold):
            self._renew_if_due()
        if hold.reason is not None:
            raise hold.reason
        if not self.has(job_id):
            raise LeaseLost(job_id, "ended")
        if time.monotonic() >= hold.renewed_at + self._lease_seconds:
            raise LeaseLost(job_id, "away")

    def tick(self) -> None:
        """Renews what is due; to be called again and again. Raises when the server refuses to speak to this worker at
        all."""
        now = time.monotonic()
        with self._lock:
            for hold in list(self._holds.values()):
                if now >= hold.ends_at:
                    self._lose(hold, "timeout")
                elif now - hold.sign_at > self._stall_seconds:
                    self._stall(hold, now)
        self._renew_if_due()

    def _is_due(self, hold: Hold) -> bool:
        return not hold.stalled and time.monotonic() - hold.renewed_at >= self._lease_seconds / 4

    def _stall(self, hold: Hold, now: float) -> None:
        if not hold.stalled:
            self._log(f"{hold.job['id']} gives no sign: its lease is not renewed any more")
        hold.stalled = True
        if now >= hold.renewed_at + self._lease_seconds:
            self._lose(hold, "stalled")

    def _renew_if_due(self) -> None:
        # Who waits here finds it done by the one before.
        with self._renewing:
            with self._lock:
                is_due = any(self._is_due(hold) for hold in self._holds.values())
                holds = [hold for hold in self._holds.values() if not hold.stalled]
            if is_due:
                self._renew(holds)

    def _renew(self, holds: List[Hold]) -> None:
        """One request for all that give signs. One that gets no answer changes nothing: the server says later what is
        lost."""
        said = {hold.job["id"]: hold.progress for hold in holds}
        jobs: List[Any] = [
            {"id": hold.job["id"], "lease": hold.job["lease"], **_progress(said[hold.job["id"]])} for hold in holds
        ]
        sent_at = time.monotonic()
        try:
            answer = self._qd.job.renew(
                jobs=jobs,
                lease_seconds=self._lease_seconds,
                options=CallOptions(timeout=max(1.0, min(10.0, self._lease_seconds / 2)), retry_for=0),
            )
        except QuarterdeckError as error:
            if error.retryable:
                return
            raise
        renewed = {each["id"] for each in answer["renewed"]}
        lost = {each["id"]: each["reason"] for each in answer["lost"]}
        with self._lock:
            for hold in holds:
                job_id = hold.job["id"]
                if job_id in renewed:
                    hold.renewed_at = sent_at
                    if hold.progress is said[job_id]:
                        hold.progress = None
                if job_id in lost:
                    self._lose(hold, lost[job_id])

    def _lose(self, hold: Hold, reason: str) -> None:
        self._holds.pop(hold.job["id"], None)
        hold.cancel(LeaseLost(hold.job["id"], reason))


def _progress(said: Optional[Dict[str, Any]]) -> Dict[str, Any]:
    return {} if said is None else {"progress": said}


def _runtime_beyond_lease(job: JobClaimOutputJobsItem) -> float:
    """Both moments are by the server's clock, so that the one here need not agree with it. When the runtime ends with the
    lease or before it, how long that is stays unknown, and the server says it."""
    until = job.get("run_until")
    if until is None:
        return math.inf
    return max(0.0, (_moment(until) - _moment(job["lease_until"])).total_seconds())


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))

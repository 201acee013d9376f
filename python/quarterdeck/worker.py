"""The loop of a worker: claims jobs, gives each to its handler, keeps the leases, reports the outcomes, and leaves
politely."""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Union

from .client import Quarterdeck
from .connection import random_key
from .errors import QuarterdeckError
from .held_jobs import HeldJobs, LeaseLost
from .operations import JobClaimOutputJobsItem
from .wire import CallOptions

LONG_WAIT = 20
SHORT_WAIT = 5
# How long calls go on trying once the worker was told to leave.
LAST_TRIES = 10.0


class GiveUp(Exception):
    """Raised by a handler when a further try cannot help: the job ends at once."""


class Job:
    """A job in hand, as its handler sees it."""

    def __init__(self, qd: Quarterdeck, claimed: JobClaimOutputJobsItem, held: HeldJobs) -> None:
        self.id = claimed["id"]
        self.kind = claimed["kind"]
        self.queue = claimed["queue"]
        self.tenant = claimed["tenant"]
        self.attempt = claimed["attempt"]
        self.max_attempts = claimed["max_attempts"]
        self.created_at = claimed["created_at"]
        self.payload = claimed["payload"]
        #: The trace of who added it, where traces are recorded; what ``qd`` does belongs to it.
        self.traceparent = claimed.get("traceparent")
        #: Acts as the tenant of the job, while the lease is valid.
        self.qd = qd.with_token(claimed["token"], self.traceparent)
        self._held = held

    def keep(self) -> None:
        """Call it between the steps of long work: it renews the lease and raises LeaseLost when there is none any more."""
        self._held.keep(self.id)

    def emit(self, event_type: str, payload: Optional[Dict[str, Any]] = None, *, once: Optional[str] = None) -> None:
        """Appends an event about this job. With ``once`` a further attempt at the job does not append it again: of all
        events with the same word the first one stays."""
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


class _Leaving(Exception):
    """Told to leave while waiting for work."""


def work(
    queues: List[str],
    handler: Union[Handler, Mapping[str, Handler]],
    *,
    qd: Optional[Quarterdeck] = None,
    limit: int = 1,
    lease_seconds: int = 60,
    log: Optional[Callable[[str], None]] = None,
) -> None:
    """Works on the queues until it is told to leave: by SIGTERM or SIGINT, or by the operator. What was claimed is finished
    first. ``handler`` is one for all kinds, or has one for each. ``limit``: jobs claimed at once, worked on one after the
    other. Raises QuarterdeckError when the server refuses to give work. Signals are heard in the main thread only."""
    _Worker(qd or Quarterdeck(), queues, handler, limit, lease_seconds, log or _print).run()


class _Worker:
    def __init__(
        self,
        qd: Quarterdeck,
        queues: List[str],
        handler: Union[Handler, Mapping[str, Handler]],
        limit: int,
        lease_seconds: int,
        log: Callable[[str], None],
    ) -> None:
        self._qd = qd
        self._queues = queues
        self._handler = handler
        self._limit = limit
        self._lease_seconds = lease_seconds
        self._log = log
        self._left_at: Optional[float] = None
        self._waiting = False

    def run(self) -> None:
        previous = {}
        if threading.current_thread() is threading.main_thread():
            previous = {each: signal.signal(each, self._leave) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._loop()
        finally:
            for each, before in previous.items():
                signal.signal(each, before)

    def _leave(self, number: int, _frame: object) -> None:
        if self._left_at is not None:
            # A second one ends the process as usual.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        self._left_at = time.monotonic()
        if self._waiting:
            raise _Leaving

    def _loop(self) -> None:
        self._log(f"works on {', '.join(self._queues)}")
        while self._left_at is None:
            # When the beat is not sent the wait is short: otherwise the agent would seem busy for all of a long one.
            wait = LONG_WAIT if self._qd.beat_is_due else SHORT_WAIT
            if self._qd.beat("waiting for work") in ("drain", "stop"):
                break
            claimed_at = time.monotonic()
            jobs = self._claim(wait)
            held = HeldJobs(self._qd, jobs, self._lease_seconds, claimed_at)
            for job in jobs:
                if held.has(job["id"]):
                    self._work_on(job, held)
        self._log("leaves")

    def _claim(self, wait: int) -> List[JobClaimOutputJobsItem]:
        try:
            self._waiting = True
            # The signal may have come just before that line.
            if self._left_at is not None:
                return []
            return self._qd.job.claim(
                queues=self._queues,
                limit=self._limit,
                wait=wait,
                lease_seconds=self._lease_seconds,
                options=CallOptions(retry_for=math.inf),
            )["jobs"]
        except _Leaving:
            return []
        finally:
            self._waiting = False

    def _work_on(self, claimed: JobClaimOutputJobsItem, held: HeldJobs) -> None:
        job_id, kind = claimed["id"], claimed["kind"]
        self._qd.beat(f"{kind}, attempt {claimed['attempt']}", job_id)
        try:
            held.keep(job_id)
            handler = self._handler.get(kind) if isinstance(self._handler, Mapping) else self._handler
            if handler is None:
                raise GiveUp(f'this agent knows no kind "{kind}"')
            result = handler(Job(self._qd, claimed, held))
            # What is no JSON fails here, as the handler's fault, and not while it is reported.
            json.dumps(result, allow_nan=False)
            outcome: Dict[str, Any] = {"outcome": "done", "result": result}
        except LeaseLost as error:
            return self._log(f"{job_id} was lost: {error}")
        except Exception as error:  # whatever a handler does wrong is the outcome of its job, not the end of the agent
            outcome = _failure(error)
            self._log(f"{job_id} ({kind}) failed: {outcome['error']}")
        self._complete(claimed, outcome)
        held.forget(job_id)

    def _complete(self, claimed: JobClaimOutputJobsItem, outcome: Dict[str, Any]) -> None:
        key = random_key()
        while True:
            report: Any = {"id": claimed["id"], "lease": claimed["lease"], **outcome}
            try:
                # In pieces, so that being told to leave is heeded between them.
                answer = self._qd.job.complete(jobs=[report], options=CallOptions(None, 5.0, key))
            except QuarterdeckError as error:
                if error.status == 413 and outcome["outcome"] == "done":
                    # A result that is too large: the job has failed, and its next attempt would too.
                    outcome, key = _failure(GiveUp(error.detail)), random_key()
                elif not error.retryable or self._is_past_last_tries():
                    raise
                continue
            for refused in answer["refused"]:
                self._log(f"{refused['id']}: the outcome was refused ({refused['code']})")
            return

    def _is_past_last_tries(self) -> bool:
        return self._left_at is not None and time.monotonic() - self._left_at > LAST_TRIES


def _failure(error: Exception) -> Dict[str, Any]:
    return {"outcome": "failed", "error": str(error)[:8000], "retry": not isinstance(error, GiveUp)}


def _print(line: str) -> None:
    # What an agent prints is its console in the control center.
    print(line, flush=True)

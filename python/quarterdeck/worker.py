"""A worker: claims jobs for its free places, gives each to its handler in a thread of its own, keeps the leases, reports
the outcomes, and leaves politely."""

from __future__ import annotations

import math
import signal
import threading
import time
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

from .client import Quarterdeck
from .held_jobs import HeldJobs, Hold
from .job import GiveUp, Handler, Job, Leaving, ending_of, failure_of
from .operations import JobClaimOutputJobsItem
from .outcomes import Outcomes
from .wire import CallOptions

CLAIM_WAIT = 20
# The server's bound on the jobs of one renewal.
MOST_HELD = 500
LOOP = 1.0
# How long outcomes are still tried once everything else is over.
LAST_TRIES = 10.0
# Takes the kinds that no other handler takes.
ANY = "*"


class Worker:
    """``queues``: the kinds that have a handler unless stated, for a job's queue is its kind unless it says otherwise.
    ``concurrency``: jobs worked on at once, at most 500. ``stall_seconds``: how long a job is kept whose handler gives
    no sign (``keep``, ``emit``, …); with 0 nothing is renewed but by ``keep``. ``stop_seconds``: how long jobs may go on
    once the worker was told to stop, before they are cancelled; draining has no end. ``outbox``: a file in which outcomes
    wait until they are heard; unless given, they wait in memory."""

    def __init__(
        self,
        queues: Optional[Sequence[str]] = None,
        *,
        qd: Optional[Quarterdeck] = None,
        concurrency: int = 1,
        lease_seconds: int = 60,
        stall_seconds: float = 900,
        stop_seconds: float = 4,
        outbox: Optional[str] = None,
        log: Optional[Callable[[str], None]] = None,
    ) -> None:
        if not 1 <= concurrency <= MOST_HELD:
            raise ValueError(f"concurrency must be between 1 and {MOST_HELD}")
        self._qd = qd or Quarterdeck()
        self._queues = None if queues is None else list(queues)
        self._concurrency = concurrency
        self._lease_seconds = lease_seconds
        self._stop_seconds = stop_seconds
        self._outbox = outbox
        self._log = log or _print
        self._handlers: Dict[str, Handler] = {}
        self._held = HeldJobs(self._qd, lease_seconds, stall_seconds, self._log)
        self._running: Dict[str, Hold] = {}
        self._changed = threading.Condition(threading.RLock())
        self._leaving = threading.Event()
        self._over = threading.Event()
        self._cancel_at = math.inf
        self._claims = False
        self._error: Optional[Exception] = None

    def on(self, kind: str, handler: Optional[Handler] = None) -> Callable[[Handler], Handler]:
        """Works on the jobs of a kind by this handler; ``*`` takes the kinds that no other handler takes. Without a
        handler it is a decorator."""

        def register(handler: Handler) -> Handler:
            self._handlers[kind] = handler
            return handler

        if handler is not None:
            register(handler)
        return register

    def leave(self) -> None:
        """As SIGTERM does: takes no more jobs, finishes those in hand, and cancels them after ``stop_seconds``."""
        self._leave(time.monotonic() + self._stop_seconds)

    def run(self) -> None:
        """Works until it is told to leave: by SIGTERM or SIGINT, by ``leave``, or by the operator. What is in hand is
        finished first. Raises QuarterdeckError when the server refuses to give work. Signals are heard in the main thread
        only. A worker runs once."""
        queues = self._queues if self._queues is not None else [kind for kind in self._handlers if kind != ANY]
        if not queues:
            raise TypeError("work on what? Give `queues`, or a handler by `on(kind)`")
        previous: Dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            previous = {each: signal.signal(each, self._signalled) for each in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._run(queues)
        finally:
            for each, before in previous.items():
                signal.signal(each, before)

    def _signalled(self, number: int, _frame: object) -> None:
        if self._leaving.is_set():
            # A second one ends the process as usual.
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)
        # No lock here: the thread that is interrupted may have it.
        self._cancel_at = min(self._cancel_at, time.monotonic() + self._stop_seconds)
        self._leaving.set()
        if self._claims:
            raise _StopClaiming

    def _leave(self, cancel_at: float) -> None:
        with self._changed:
            self._cancel_at = min(self._cancel_at, cancel_at)
            self._leaving.set()
            self._changed.notify_all()

    def _fail(self, error: Exception) -> None:
        """Nothing can be done without the server's leave: everybody stops."""
        with self._changed:
            self._error = self._error or error
        self._leave(math.inf)
        self._held.cancel_all(Leaving("the server refuses this worker"))

    def _run(self, queues: List[str]) -> None:
        outcomes = Outcomes(self._qd, self._outbox, self._log, self._heard, self._fail)
        self._log(f"works on {', '.join(queues)}")
        # Before the first claim: who shall not work takes nothing.
        self._attempt(self._beat)
        loops = [
            threading.Thread(target=self._repeat, args=(step,), name=f"quarterdeck-{name}", daemon=True)
            for name, step in (("leases", self._look_after), ("beats", self._beat))
        ]
        for loop in loops:
            loop.start()
        try:
            self._claim_until_leaving(queues, outcomes)
            with self._changed:
                # In pieces: a signal is heard between them.
                while self._running:
                    self._changed.wait(LOOP)
        finally:
            unheard = outcomes.close(LAST_TRIES if self._error is None else 0)
            self._over.set()
            for loop in loops:
                loop.join()
        if self._error is not None:
            raise self._error
        if unheard and self._outbox is None:
            raise RuntimeError(f"told to leave while the server is away: {unheard} outcomes are lost")
        if unheard:
            self._log(f"{unheard} outcomes wait in the outbox for the next start")
        self._log("leaves")

    def _heard(self, job_id: str) -> None:
        self._held.forget(job_id)
        with self._changed:
            self._changed.notify_all()

    def _repeat(self, step: Callable[[], None]) -> None:
        while not self._over.wait(LOOP):
            self._attempt(step)

    def _attempt(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception as error:
            self._fail(error)

    def _look_after(self) -> None:
        if time.monotonic() >= self._cancel_at:
            self._held.cancel_all(Leaving("the worker left"))
        self._held.tick()

    def _beat(self) -> None:
        """Whoever hangs falls silent: no beat while not one job in hand gives a sign."""
        if self._held.all_stalled:
            return
        with self._changed:
            running = list(self._running)
        status = f"{len(running)} of {self._concurrency} at work" if running else "waiting for work"
        desired = self._qd.beat(status, running[0] if running else None)
        if desired == "stop":
            self.leave()
        elif desired == "drain":
            self._leave(math.inf)

    def _claim_until_leaving(self, queues: List[str], outcomes: Outcomes) -> None:
        while not self._leaving.is_set():
            with self._changed:
                free = min(self._concurrency - len(self._running), MOST_HELD - len(self._held))
                if free <= 0:
                    self._changed.wait(LOOP)
                    continue
            claimed_at = time.monotonic()
            for job in self._claim(queues, free):
                self._start(job, claimed_at, outcomes)

    def _claim(self, queues: List[str], limit: int) -> List[JobClaimOutputJobsItem]:
        try:
            self._claims = True
            # The signal may have come just before that line.
            if self._leaving.is_set():
                return []
            return self._qd.job.claim(
                queues=queues,
                limit=limit,
                wait=CLAIM_WAIT,
                lease_seconds=self._lease_seconds,
                # In pieces, so that being told to leave is heeded between them.
                options=CallOptions(retry_for=0),
            )["jobs"]
        except _StopClaiming:
            return []
        except Exception as error:
            if not getattr(error, "retryable", False):
                self._fail(error)
                return []
        finally:
            self._claims = False
        self._leaving.wait(LOOP)
        return []

    def _start(self, job: JobClaimOutputJobsItem, claimed_at: float, outcomes: Outcomes) -> None:
        hold = self._held.add(job, claimed_at)
        with self._changed:
            self._running[job["id"]] = hold
        # A daemon: a second signal ends the process whatever a handler does.
        name = f"quarterdeck-{job['kind']}"
        threading.Thread(target=self._work_on, args=(hold, outcomes), name=name, daemon=True).start()

    def _work_on(self, hold: Hold, outcomes: Outcomes) -> None:
        job_id = hold.job["id"]
        try:
            ending = self._ending_of(hold)
            if ending is None:
                self._held.forget(job_id)
            else:
                self._held.finished(hold)
                outcomes.report({"id": job_id, "lease": hold.job["lease"], **ending})
        except Exception as error:
            self._fail(error)
        finally:
            with self._changed:
                self._running.pop(job_id, None)
                self._changed.notify_all()

    def _ending_of(self, hold: Hold) -> Optional[Dict[str, Any]]:
        job_id, kind = hold.job["id"], hold.job["kind"]
        try:
            handler = self._handlers.get(kind) or self._handlers.get(ANY)
            if handler is None:
                raise GiveUp(f'this agent knows no kind "{kind}"')
            return ending_of(handler(Job(self._qd, hold, self._held)))
        except BaseException as error:  # whatever a handler does wrong is how its job ended, not the end of the agent
            ending = failure_of(error, hold)
            if ending is None:
                self._log(f"{job_id} was lost: {hold.reason or error}")
            elif ending["outcome"] == "ask":
                self._log(f"{job_id} ({kind}) asks: {ending['approval']['summary']}")
            else:
                self._log(f"{job_id} ({kind}) failed: {ending['error']}")
            return ending


class _StopClaiming(BaseException):
    """Told to leave while waiting for work. Not an Exception: nothing on the way may take it for a failed call."""


def work(queues: Sequence[str], handler: Union[Handler, Mapping[str, Handler]], **options: Any) -> None:
    """A worker on these queues in one call. ``handler`` is one for all kinds, or has one for each; ``options`` are those of
    Worker."""
    worker = Worker(queues, **options)
    for kind, each in (handler if isinstance(handler, Mapping) else {ANY: handler}).items():
        worker.on(kind, each)
    worker.run()


def _print(line: str) -> None:
    # What an agent prints is its console in the control center.
    print(line, flush=True)

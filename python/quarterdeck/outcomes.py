"""How finished jobs are reported: collected for a moment, sent together, and kept until the server has heard them; in a
file too when there is one, so that they survive the death of the worker. The file is the same as that of the TypeScript
SDK."""

from __future__ import annotations

import random
import threading
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from .client import Quarterdeck
from .connection import random_key
from .errors import QuarterdeckError
from .outbox_file import OutboxFile
from .outbox_lock import OutboxLock
from .retry import pause_seconds
from .wire import CallOptions

COLLECT = 0.005
# So many of the largest results fit into one request.
BATCH = 50
# The pauses stay below 4 s, for a server that is back waits 15 s for us.
MOST_TRIES_COUNTED = 4

Outcome = Dict[str, Any]


class _Unsent(NamedTuple):
    outcome: Outcome
    # The byte behind it in the file; None when it is in memory only.
    end: Optional[int]


class Outcomes:
    """``heard`` is called when the server has judged an outcome, ``failed`` when it refuses to speak to this worker at all.
    Raises RuntimeError when another living process has the file."""

    def __init__(
        self,
        qd: Quarterdeck,
        path: Optional[str],
        log: Callable[[str], None],
        heard: Callable[[str], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._qd = qd
        self._log = log
        self._heard = heard
        self._failed = failed
        self._lock: Optional[OutboxLock] = None
        self._file: Optional[OutboxFile] = None
        self._unsent: List[_Unsent] = []
        if path is not None:
            self._lock = OutboxLock(f"{path}.lock")
            try:
                self._file = OutboxFile(path)
            except BaseException:
                self._lock.release()
                raise
            self._unsent = [_Unsent(entry.event, entry.end) for entry in self._file.unsent()]
            if self._unsent:
                log(f"{len(self._unsent)} outcomes of an earlier run are still to be reported")
        self._changed = threading.Condition(threading.RLock())
        self._closing = False
        self._thread = threading.Thread(target=self._send, name="quarterdeck-outcomes", daemon=True)
        self._thread.start()

    def report(self, outcome: Outcome) -> None:
        """Returns when the outcome is kept. It is sent behind the caller's back."""
        end: Optional[int] = None
        with self._changed:
            if self._file is not None:
                try:
                    end = self._file.append(outcome).end
                except OSError as error:
                    # A disk that is full does not take the outcome from the server.
                    self._log(f"{outcome['id']}: the outcome is kept in memory only ({error})")
            self._unsent.append(_Unsent(outcome, end))
            self._changed.notify_all()

    def close(self, seconds: float) -> int:
        """Tries for so long to have everything heard; answers how many were not."""
        with self._changed:
            self._changed.wait_for(lambda: self._closing or not self._unsent, timeout=seconds)
            self._closing = True
            self._changed.notify_all()
        # A request that is under way ends by its own time limit; it must not find the file closed.
        self._thread.join()
        if self._file is not None:
            self._file.close()
        if self._lock is not None:
            self._lock.release()
        return len(self._unsent)

    def _send(self) -> None:
        singly = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or bool(self._unsent))
                if self._closing:
                    return
            time.sleep(COLLECT)
            with self._changed:
                batch = [unsent.outcome for unsent in self._unsent[: 1 if singly > 0 else BATCH]]
            try:
                self._send_batch(batch)
                singly -= 1
            except QuarterdeckError as error:
                if not _is_about_content(error):
                    return self._end(error)
                # One by one, to find the bad one.
                if len(batch) > 1:
                    singly = len(batch)
                else:
                    self._replace(batch[0], error.detail)
                    singly -= 1
            except Exception as error:
                return self._end(error)

    def _end(self, error: Exception) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._failed(error)

    def _send_batch(self, batch: List[Outcome]) -> None:
        # By one key the tries are one, also when an answer was lost.
        key = random_key()
        tries = 0
        while True:
            try:
                reports: Any = batch
                answer = self._qd.job.complete(jobs=reports, options=CallOptions(5.0, 0, key))
                break
            except QuarterdeckError as error:
                if not error.retryable:
                    raise
            seconds = pause_seconds(min(tries, MOST_TRIES_COUNTED), 0, random.random())
            with self._changed:
                if self._changed.wait_for(lambda: self._closing, timeout=seconds):
                    return
            tries += 1
        refused = {each["id"]: each["code"] for each in answer["refused"]}
        for outcome in batch:
            code = refused.get(outcome["id"])
            if code == "work.result_too_large":
                self._instead(outcome, "the result is too large")
                continue
            if code is not None:
                self._log(f"{outcome['id']}: the outcome was refused ({code})")
            self._heard(outcome["id"])
        self._drop(len(batch))

    def _replace(self, outcome: Outcome, why: str) -> None:
        """The server will never take this one: the job has failed, and says why. If it does not take that either, it is
        let go."""
        if outcome["outcome"] == "done":
            self._instead(outcome, why)
        else:
            self._log(f"{outcome['id']}: the outcome was refused ({why})")
            self._heard(outcome["id"])
        self._drop(1)

    def _instead(self, outcome: Outcome, error: str) -> None:
        self._log(f"{outcome['id']} failed: {error}")
        self.report(
            {"id": outcome["id"], "lease": outcome["lease"], "outcome": "failed", "error": error, "retry": False}
        )

    def _drop(self, count: int) -> None:
        with self._changed:
            ends = [unsent.end for unsent in self._unsent[:count] if unsent.end is not None]
            del self._unsent[:count]
            if ends and self._file is not None:
                self._file.mark_sent(ends[-1])
            self._changed.notify_all()


def _is_about_content(error: QuarterdeckError) -> bool:
    return not error.code.startswith("sdk.") and error.status in (400, 413, 422)

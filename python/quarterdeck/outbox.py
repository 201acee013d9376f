"""Events that survive the server being away and the process dying: on the disk first, then sent, in order and once. The
file is the same as that of the TypeScript SDK."""

from __future__ import annotations

import json
import os
import random
import threading
from typing import Any, Dict, List, Optional

from .client import Quarterdeck
from .connection import random_key
from .errors import QuarterdeckError
from .outbox_file import Entry, OutboxFile
from .outbox_lock import OutboxLock
from .retry import pause_seconds
from .wire import CallOptions

BATCH = 100


class Outbox:
    """Opens or makes the file. Raises RuntimeError when another living process has it. Use it by ``with``, or close it."""

    def __init__(self, path: str, qd: Optional[Quarterdeck] = None) -> None:
        self._qd = qd or Quarterdeck()
        self._path = path
        self._lock = OutboxLock(f"{path}.lock")
        try:
            self._file = OutboxFile(path)
        except BaseException:
            self._lock.release()
            raise
        self._unsent: List[Entry] = self._file.unsent()
        self._changed = threading.Condition()
        self._closing = False
        #: Why the last try to send failed; None when it did not.
        self.problem: Optional[Exception] = None
        # A daemon: a process that has nothing else to do may end, for what is not sent is in the file.
        self._thread = threading.Thread(target=self._send, name="quarterdeck-outbox", daemon=True)
        self._thread.start()

    def __enter__(self) -> Outbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def waiting(self) -> int:
        """How many events wait to be sent."""
        with self._changed:
            return len(self._unsent)

    def emit(self, event_type: str, payload: Optional[Dict[str, Any]] = None, **details: str) -> None:
        """Returns when the event is on the disk. It is sent behind the caller's back, however long that takes. ``details``:
        id, subject, correlation_id, causation_id."""
        event = {"id": random_key(), "event_type": event_type, "payload": payload or {}, **details}
        with self._changed:
            if self._closing:
                raise RuntimeError("the outbox is closed")
            self._unsent.append(self._file.append(event))
            self._changed.notify_all()

    def flush(self, seconds: float = 10.0) -> bool:
        """Waits until everything is sent, for so long at most; answers whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._unsent, timeout=seconds)

    def close(self, seconds: float = 5.0) -> None:
        """Waits a little for what is left to be sent; the rest stays in the file for the next time."""
        self.flush(seconds)
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        # A request that is under way ends by its own time limit; it must not find the file closed.
        self._thread.join()
        self._file.close()
        self._lock.release()

    def _send(self) -> None:
        """One batch after the other; one of which the server refuses the content is sent event by event, to find the bad
        one."""
        singly = 0
        tries = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closing or bool(self._unsent))
                if self._closing:
                    return
                batch = self._unsent[: 1 if singly > 0 else BATCH]
            try:
                self._send_batch(batch)
                self.problem = None
                tries = 0
                singly -= 1
            except Exception as error:  # whatever it is, the events stay in the file and are tried again
                self.problem = error
                if _is_about_content(error) and len(batch) > 1:
                    singly = len(batch)
                    continue
                with self._changed:
                    self._changed.wait_for(
                        lambda: self._closing, timeout=pause_seconds(tries, 0, random.random())
                    )
                tries += 1

    def _send_batch(self, batch: List[Entry]) -> None:
        try:
            self._qd.event.append(
                events=[entry.event for entry in batch],  # type: ignore[misc]
                options=CallOptions(retry_for=0, timeout=10.0),
            )
        except QuarterdeckError as error:
            if not _is_about_content(error) or len(batch) > 1:
                raise
            self._set_aside(batch[0], error)
        with self._changed:
            del self._unsent[: len(batch)]
            self._file.mark_sent(batch[-1].end)
            self._changed.notify_all()

    def _set_aside(self, entry: Entry, error: QuarterdeckError) -> None:
        """What the server will never take must not hold up what comes behind it."""
        line = json.dumps({"code": error.code, "detail": error.detail, "event": entry.event})
        descriptor = os.open(f"{self._path}.refused", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line.encode() + b"\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _is_about_content(error: Exception) -> bool:
    return (
        isinstance(error, QuarterdeckError)
        and not error.code.startswith("sdk.")
        and error.status in (400, 409, 413, 422)
    )

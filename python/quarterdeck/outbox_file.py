"""The file of an outbox: one JSON line an event, and now and then a line that says up to which byte all is sent. It only
grows, until everything is sent; then it is emptied."""

from __future__ import annotations

import json
import os
from typing import Any, Dict, List, NamedTuple


class Entry(NamedTuple):
    """An event in the file, and the byte behind it."""

    event: Dict[str, Any]
    end: int


class OutboxFile:
    def __init__(self, path: str) -> None:
        # 0600: events may hold what is nobody else's business.
        self._descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(os.dup(self._descriptor), "rb") as file:
            data = file.read()
        # What was not written to its end is cut.
        self._end = data.rfind(b"\n") + 1
        if self._end < len(data):
            os.ftruncate(self._descriptor, self._end)
            os.fsync(self._descriptor)
        self._found = _entries(data[: self._end])
        # The byte behind the last event; lines about what is sent may stand behind it.
        self._last_event = self._found[-1].end if self._found else 0

    def unsent(self) -> List[Entry]:
        """What was still to be sent when the file was opened, in order."""
        return list(self._found)

    def append(self, event: Dict[str, Any]) -> Entry:
        """Returns when the event is on the disk. Raises with nothing kept."""
        line = json.dumps(event, ensure_ascii=False, allow_nan=False).encode() + b"\n"
        try:
            rest = memoryview(line)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError:
            # Half a line in the middle would be lost with the one behind it.
            os.ftruncate(self._descriptor, self._end)
            raise
        self._end += len(line)
        self._last_event = self._end
        return Entry(event, self._end)

    def mark_sent(self, end: int) -> None:
        """Notes that everything before ``end`` is sent. Not synced: what is sent twice is known by its id."""
        if end < self._last_event:
            self._end += os.write(self._descriptor, json.dumps({"sent": end}).encode() + b"\n")
        else:
            os.ftruncate(self._descriptor, 0)
            self._end = 0

    def close(self) -> None:
        os.close(self._descriptor)


def _entries(data: bytes) -> List[Entry]:
    entries: List[Entry] = []
    sent = 0
    end = 0
    for line in data.split(b"\n")[:-1]:
        end += len(line) + 1
        try:
            value = json.loads(line)
        except ValueError:
            # A power cut can leave a line of zeros where nothing had been acknowledged yet.
            continue
        if isinstance(value.get("sent"), int):
            sent = value["sent"]
        elif isinstance(value.get("id"), str):
            entries.append(Entry(value, end))
    return [entry for entry in entries if entry.end > sent]

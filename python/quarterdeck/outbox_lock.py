"""One process per outbox: two would cut off each other's events. A lock file with the pid of its holder; that of a dead
process is taken over."""

from __future__ import annotations

import os
from typing import Optional, Set

# Held in this very process: after a restart in a container the pid is often the same, and then proves nothing.
_ours: Set[str] = set()


class OutboxLock:
    """Raises RuntimeError when a living process has it."""

    def __init__(self, path: str) -> None:
        self._path = os.path.abspath(path)
        own = f"{self._path}.{os.getpid()}"
        with open(own, "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
        try:
            # A link appears with its content, or not at all.
            while not _try_link(own, self._path):
                _remove_stale(self._path)
        finally:
            os.unlink(own)
        _ours.add(self._path)

    def release(self) -> None:
        _ours.discard(self._path)
        os.unlink(self._path)


def _try_link(own: str, path: str) -> bool:
    try:
        os.link(own, path)
        return True
    except FileExistsError:
        return False


def _remove_stale(path: str) -> None:
    holder = _pid_in(path)
    if holder is not None and _is_holding(holder, path):
        raise RuntimeError(f"the outbox is held by process {holder}; give each process one of its own ({path})")
    # Moved before it is removed: whoever else found it stale may have put a lock of its own there meanwhile.
    aside = f"{path}.stale.{os.getpid()}"
    try:
        os.rename(path, aside)
    except FileNotFoundError:
        return
    moved = _pid_in(aside)
    if moved is not None and _is_holding(moved, path):
        _try_link(aside, path)
    os.unlink(aside)


def _pid_in(path: str) -> Optional[int]:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except FileNotFoundError:
        return None


def _is_holding(pid: int, path: str) -> bool:
    if pid == os.getpid():
        return path in _ours
    if os.name == "nt":
        return True  # there, asking a process whether it lives would end it
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

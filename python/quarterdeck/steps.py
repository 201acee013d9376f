"""The steps of a job in hand: parts whose results are kept with the job, so that a further attempt need not do them again."""

from __future__ import annotations

from typing import Any, Callable, Dict, Optional

from .client import Quarterdeck
from .errors import QuarterdeckError
from .held_jobs import HeldJobs, Hold, LeaseLost


class Steps:
    def __init__(self, qd: Quarterdeck, hold: Hold, held: HeldJobs) -> None:
        self._qd = qd
        self._hold = hold
        self._held = held
        self._kept: Optional[Dict[str, Any]] = None

    def step(self, name: str, work: Callable[[], Any]) -> Any:
        kept = self._known()
        if name not in kept:
            self._held.keep(self._hold)
            kept[name] = self._store(name, work())
        return kept[name]

    def _known(self) -> Dict[str, Any]:
        """Asked for once, with the first step."""
        if self._kept is None:
            self._kept = {each["step"]: each["result"] for each in self._qd.step.list_all(job=self._hold.job["id"])}
        return self._kept

    def _store(self, name: str, result: Any) -> Any:
        """As it is kept, so that this attempt sees what the next one would."""
        job = self._hold.job
        try:
            return self._qd.step.store(job=job["id"], step=name, lease=job["lease"], result=result)["result"]
        except QuarterdeckError as error:
            if error.code == "work.stale_lease":
                raise LeaseLost(job["id"], "taken") from error
            raise

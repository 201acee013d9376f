"""The jobs of which a worker has the lease. One request renews all of them, sent by the work itself: who hangs loses
them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, List

from .errors import QuarterdeckError
from .operations import JobClaimOutputJobsItem
from .wire import CallOptions

if TYPE_CHECKING:
    from .client import Quarterdeck


class LeaseLost(Exception):
    """Raised to a handler: its job may be somebody else's by now, so it stops without an outcome."""


class HeldJobs:
    """``claimed_at``: when the claim was sent, by ``time.monotonic()``."""

    def __init__(
        self, qd: Quarterdeck, jobs: List[JobClaimOutputJobsItem], lease_seconds: int, claimed_at: float
    ) -> None:
        self._qd = qd
        self._lease_seconds = lease_seconds
        self._leases = {job["id"]: job["lease"] for job in jobs}
        self._renewed_at = claimed_at

    def has(self, job_id: str) -> bool:
        return job_id in self._leases

    def forget(self, job_id: str) -> None:
        self._leases.pop(job_id, None)

    def keep(self, job_id: str) -> None:
        """Renews all leases when a quarter of their time is over. Raises LeaseLost when that of the job is gone."""
        age = time.monotonic() - self._renewed_at
        reason = "its lease was lost before"
        if self.has(job_id):
            if age < self._lease_seconds / 4:
                return
            reason = self._renew(job_id, self._lease_seconds - age)
        if not self.has(job_id):
            raise LeaseLost(f"{job_id}: {reason}")

    def _renew(self, job_id: str, left: float) -> str:
        """Tries for as long as the leases can still be valid; after that nothing may be done in their name."""
        sent_at = time.monotonic()
        try:
            answer = self._qd.job.renew(
                jobs=[{"id": each, "lease": lease} for each, lease in self._leases.items()],
                lease_seconds=self._lease_seconds,
                options=CallOptions(timeout=max(1.0, min(30.0, left)), retry_for=max(0.0, left)),
            )
        except QuarterdeckError as error:
            if not error.retryable:
                raise
            self._leases.clear()
            return "the server was away for longer than the lease"
        self._renewed_at = sent_at
        reasons = {gone["id"]: gone["reason"] for gone in answer["lost"]}
        for lost in reasons:
            self.forget(lost)
        return reasons.get(job_id, "")

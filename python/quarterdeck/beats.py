"""Signs of life, sent by the work itself. There is no timer: whoever hangs falls silent, and is found."""

from __future__ import annotations

import time
from typing import Optional

from .errors import QuarterdeckError
from .operations import AgentOperations
from .wire import CallOptions

EVERY = 5.0
TIMEOUT = 5.0


class Beats:
    def __init__(self, operations: AgentOperations, agent: Optional[str]) -> None:
        self._operations = operations
        self._agent = agent
        self._sent_at = float("-inf")
        self._desired = "run"

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self._sent_at >= EVERY

    def beat(self, status: Optional[str] = None, job: Optional[str] = None) -> str:
        """Raises QuarterdeckError when the server refuses the beat, not when it is away: that must not stop the work."""
        if self._agent is None:
            raise TypeError("whose beat? Set QUARTERDECK_AGENT, or give `agent`")
        if not self.is_due:
            return self._desired
        self._sent_at = time.monotonic()
        try:
            answer = self._operations.beat(
                agent=self._agent,
                status=None if status is None else status[:200],
                job=job,
                options=CallOptions(timeout=TIMEOUT, retry_for=0),
            )
            self._desired = answer["desired"]
        except QuarterdeckError as error:
            if not error.retryable:
                raise
        return self._desired

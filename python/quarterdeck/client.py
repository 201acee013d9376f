"""The client: every operation as a method, the live feed and beats, for one credential."""

from __future__ import annotations

import os
import re
from typing import Dict, Iterator, List, Optional
from urllib.parse import urlsplit

from .beats import Beats
from .connection import Connection
from .live import LiveMessage, follow_live
from .operations import Operations


class Quarterdeck(Operations):
    """``url``, ``token`` and ``agent`` default to QUARTERDECK_URL, QUARTERDECK_TOKEN and QUARTERDECK_AGENT. The token alone
    says who asks. ``timeout``: seconds to wait for one answer; ``retry_for``: seconds that a call goes on trying while
    the server is away or busy."""

    def __init__(
        self,
        url: Optional[str] = None,
        token: Optional[str] = None,
        *,
        agent: Optional[str] = None,
        timeout: float = 30.0,
        retry_for: float = 60.0,
        traceparent: Optional[str] = None,
    ) -> None:
        self.url = _address(url or os.environ.get("QUARTERDECK_URL"))
        self._connection = Connection(
            self.url, _token(token or os.environ.get("QUARTERDECK_TOKEN")), timeout, retry_for, traceparent=traceparent
        )
        super().__init__(self._connection.send)
        self._agent_name = agent or os.environ.get("QUARTERDECK_AGENT")
        self._beats = Beats(self.agent, self._agent_name)

    def with_token(self, token: str, traceparent: Optional[str] = None) -> Quarterdeck:
        """The same server with another credential: the token of a job, for what is done in its tenant's name.
        ``traceparent``: the trace that every call belongs to, as W3C Trace Context writes it."""
        known = self._connection
        return Quarterdeck(
            self.url,
            token,
            agent=self._agent_name,
            timeout=known.timeout,
            retry_for=known.retry_for,
            traceparent=traceparent,
        )

    def environment(self) -> Dict[str, str]:
        """What a program that is started from here needs in its environment to speak to the same server as this client
        does."""
        known = self._connection
        trace = {} if known.traceparent is None else {"TRACEPARENT": known.traceparent}
        return {"QUARTERDECK_URL": known.url, "QUARTERDECK_TOKEN": known.token, **trace}

    def live(self, topics: Optional[List[str]] = None, *, after: Optional[str] = None) -> Iterator[LiveMessage]:
        """Follows the log: every event once and in order, also over broken connections."""
        return follow_live(self._connection, topics, after)

    def beat(self, status: Optional[str] = None, job: Optional[str] = None) -> str:
        """Says that the agent is well, and answers what is wanted of it: run, pause, drain or stop. Call it from the work
        itself, as often as you like: one in five seconds is sent, and while the server is away the last answer counts."""
        return self._beats.beat(status, job)

    @property
    def beat_is_due(self) -> bool:
        """Whether the next beat will be sent."""
        return self._beats.is_due


def _address(url: Optional[str]) -> str:
    if not url:
        raise TypeError("no address: set QUARTERDECK_URL, or give `url`")
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise TypeError(f'"{url}" is no address of http or https')
    return url.rstrip("/")


def _token(token: Optional[str]) -> str:
    if not token:
        raise TypeError("no credential: set QUARTERDECK_TOKEN, or give `token`")
    # What a header cannot carry would be refused later with an error that shows it.
    if not re.fullmatch(r"[\x21-\x7e]+", token):
        raise TypeError("the token has characters that no token has")
    return token

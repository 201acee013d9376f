"""The live feed by server-sent events: every event once and in order, over any number of broken connections."""

from __future__ import annotations

import http.client
import random
import time
import urllib.error
from typing import Dict, Iterator, List, NamedTuple, Optional

from .connection import Connection, read_within
from .errors import error_of, object_of
from .operations import EventListItem
from .retry import pause_seconds, retry_after_seconds
from .wire import Wire, request_of

# The server says something at least every 15 s; a connection that is silent for this long is dead.
LONGEST_SILENCE = 45.0
_WIRE = Wire("log.live", "GET", "/v1/live", False)


class LiveMessage(NamedTuple):
    """``event`` is None for a reset: the log was restored, moved or archived: what happened meanwhile cannot be told event by
    event. Read again what was built from events; the feed goes on from ``cursor``."""

    cursor: str
    event: Optional[EventListItem]

    @property
    def is_reset(self) -> bool:
        return self.event is None


def follow_live(
    connection: Connection, topics: Optional[List[str]] = None, after: Optional[str] = None
) -> Iterator[LiveMessage]:
    """Raises QuarterdeckError when the server refuses: the credential ended, a topic does not exist."""
    place = after
    tries = 0
    while True:
        told = 0.0
        path, _ = request_of(_WIRE, {"topics": topics and ",".join(topics), "after": place})
        try:
            with connection.open("GET", path, {"accept": "text/event-stream"}, None, LONGEST_SILENCE) as response:
                if "text/event-stream" not in (response.headers.get("content-type") or ""):
                    raise error_of(response.status, read_within(response, LONGEST_SILENCE))
                for fields in _blocks(response):
                    value = object_of(fields.get("data", "").encode())
                    if value is None:
                        break
                    tries = 0
                    place = fields.get("id", place)
                    if fields.get("event") == "event":
                        yield LiveMessage(value["cursor"], value)  # type: ignore[arg-type]
                    elif fields.get("event") == "state" and value.get("state") == "reset":
                        yield LiveMessage(value["cursor"], None)
        except urllib.error.HTTPError as refusal:
            with refusal:
                error = error_of(refusal.code, refusal.read())
                told = retry_after_seconds(refusal.headers.get("retry-after"), time.time())
            if not error.retryable:
                raise error from None
        except (OSError, http.client.HTTPException):
            pass  # the connection broke, and the next one goes on behind what was given
        connection.pause(pause_seconds(tries, told, random.random()))
        tries += 1


def _blocks(response: http.client.HTTPResponse) -> Iterator[Dict[str, str]]:
    """The fields of each message that came to its end (WHATWG HTML §9.2.6), as far as this server uses them."""
    fields: Dict[str, str] = {}
    while True:
        line = response.readline()
        if not line.endswith(b"\n"):
            return
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if text == "":
            if "data" in fields:
                yield fields
            fields = {}
        elif not text.startswith(":"):
            name, _, value = text.partition(":")
            fields[name] = value[1:] if value.startswith(" ") else value

"""One call to the server: the tries it takes, each with its time limit, and the key by which they are one."""

from __future__ import annotations

import http.client
import random
import secrets
import socket
import time
import urllib.error
import urllib.request
from typing import Any, Callable, Dict, Mapping, Optional, Tuple

from .errors import QuarterdeckError, error_of, object_of, timed_out, unreachable
from .retry import pause_seconds, retry_after_seconds
from .wire import CallOptions, Wire, request_of


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is not followed: the token is for this server alone."""

    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirect)


class Connection:
    def __init__(
        self,
        url: str,
        token: str,
        timeout: float,
        retry_for: float,
        pause: Callable[[float], None] = time.sleep,
        traceparent: Optional[str] = None,
    ) -> None:
        self.url = url
        self.token = token
        self.timeout = timeout
        self.retry_for = retry_for
        self.pause = pause
        self.traceparent = traceparent

    def send(self, wire: Wire, given: Mapping[str, Any], options: Optional[CallOptions] = None) -> Any:
        """Raises QuarterdeckError."""
        options = options or CallOptions()
        path, body = request_of(wire, given)
        headers = {"accept": "application/json"}
        if body is not None:
            headers["content-type"] = "application/json"
        if wire.keyed:
            headers["idempotency-key"] = options.idempotency_key or random_key()
        timeout = self.timeout if options.timeout is None else options.timeout
        wait = given.get("wait")
        if isinstance(wait, (int, float)):
            timeout += wait
        retry_for = self.retry_for if options.retry_for is None else options.retry_for
        last_try_at = time.monotonic() + retry_for
        tries = 0
        while True:
            value, error, told = self._try_once(wire.method, path, headers, body, timeout)
            if error is None:
                return value
            seconds = pause_seconds(tries, told, random.random())
            if not error.retryable or time.monotonic() + seconds > last_try_at:
                raise error
            self.pause(seconds)
            tries += 1

    def _try_once(
        self, method: str, path: str, headers: Dict[str, str], body: Optional[bytes], timeout: float
    ) -> Tuple[Any, Optional[QuarterdeckError], float]:
        try:
            with self.open(method, path, headers, body, timeout) as response:
                data = read_within(response, timeout)
                value = object_of(data)
                return value, None if value is not None else error_of(response.status, data), 0.0
        except urllib.error.HTTPError as refusal:
            with refusal:
                told = retry_after_seconds(refusal.headers.get("retry-after"), time.time())
                try:
                    data = refusal.read()
                except (OSError, http.client.HTTPException):
                    data = b""
            return None, error_of(refusal.code, data), told
        # Whatever a socket can do wrong is an OSError; half an answer is not.
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            late = isinstance(reason, (socket.timeout, TimeoutError))
            return None, timed_out(timeout) if late else unreachable(self.url, reason), 0.0

    def open(
        self, method: str, path: str, headers: Mapping[str, str], body: Optional[bytes], timeout: float
    ) -> http.client.HTTPResponse:
        """Sends one request with the credential; ``timeout`` is for each read."""
        request = urllib.request.Request(self.url + path, data=body, method=method)
        for name, value in headers.items():
            request.add_header(name, value)
        if self.traceparent is not None:
            request.add_header("traceparent", self.traceparent)
        # Not to be carried anywhere else.
        request.add_unredirected_header("authorization", f"Bearer {self.token}")
        response: http.client.HTTPResponse = _opener.open(request, timeout=timeout)
        return response


def read_within(response: http.client.HTTPResponse, seconds: float) -> bytes:
    """The whole body. A server that drips bytes is too slow, though no single read is."""
    deadline = time.monotonic() + seconds
    parts = []
    while True:
        part = response.read1(65536)
        if not part:
            break
        parts.append(part)
        if time.monotonic() > deadline:
            raise socket.timeout("the body came too slowly")
    # read1 tells nothing of an answer that ended too early.
    if response.length not in (None, 0):
        raise http.client.IncompleteRead(b"".join(parts), response.length)
    return b"".join(parts)


def random_key() -> str:
    """128 bits of chance in text."""
    return secrets.token_hex(16)

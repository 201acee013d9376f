"""What an agent in plain Python (3.9 or newer) needs of Quarterdeck: calls that outlast an absent server, and the loop that
claims jobs, keeps their leases and reports their outcomes. Standard library only. client.mjs is the same for Node."""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import sys
import time
import urllib.error
import urllib.request

try:
    URL = os.environ["QUARTERDECK_URL"]
    AGENT = os.environ["QUARTERDECK_AGENT"]
    TOKEN = os.environ["QUARTERDECK_TOKEN"]
except KeyError as missing:
    sys.exit(f"{missing} is set by Quarterdeck when it starts an agent")

LEASE_SECONDS = int(os.environ.get("HARBOUR_LEASE_SECONDS", "30"))
WAIT_SECONDS = 20
BEAT_EVERY = 5.0
LONGEST_PAUSE = 30.0
# How long a call goes on trying once the agent was told to leave.
LAST_TRIES = 5.0


class Refused(Exception):
    """What the server refused; trying the same again would change nothing."""

    def __init__(self, status: int, text: str):
        problem = json.loads(text) if text.startswith("{") else {}
        self.code = problem.get("code")
        super().__init__(f"{self.code or status}: {problem.get('detail', text)}")


class GiveUp(Exception):
    """Raised by a handler when a second try cannot help: the job ends at once."""


class LeaseLost(Exception):
    """The lease of this job ended and somebody else may have it: its handler stops here."""


class Leaving(Exception):
    """Told to leave while waiting for work."""


_left_at: float | None = None
_waiting = False


def _leave(*_: object) -> None:
    global _left_at
    _left_at = _left_at or time.monotonic()
    if _waiting:
        raise Leaving


for _signal in (signal.SIGTERM, signal.SIGINT):
    signal.signal(_signal, _leave)


def say(text: str) -> None:
    print(text, flush=True)


def call(method: str, path: str, body: object = None, token: str = TOKEN, key: str | None = None) -> dict:
    """One request. While the server is away or busy it tries again, with growing pauses of which half is chance, so that
    a whole fleet does not come back in the same moment."""
    tries = 0
    while True:
        headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
        if key is not None:
            headers["idempotency-key"] = key
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(URL + path, data=data, headers=headers, method=method)
        asked = 0.0
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS + 15) as response:
                return json.loads(response.read() or b"{}")
        except urllib.error.HTTPError as error:
            if error.code != 429 and error.code < 500:
                raise Refused(error.code, error.read().decode(errors="replace")) from None
            asked = float(error.headers.get("retry-after") or 0)
            reason: object = error.code
        # Whatever a socket can do wrong is an OSError; half an answer is not.
        except (OSError, http.client.HTTPException) as error:
            reason = error
        if _left_at is not None and time.monotonic() - _left_at > LAST_TRIES:
            sys.exit("told to leave while the server is away")
        if tries == 3:
            say(f"the server does not answer ({reason}); trying on")
        most = min(LONGEST_PAUSE, 0.5 * 2 ** min(tries, 10))
        _pause(max(asked, most * random.uniform(0.5, 1)))
        tries += 1


def _pause(seconds: float) -> None:
    """Waits in small steps, because a sleep goes on behind a signal: told to leave, it hurries."""
    hurried = _left_at is not None
    end = time.monotonic() + (seconds / 5 if hurried else seconds)
    while time.monotonic() < end and (hurried or _left_at is None):
        time.sleep(0.1)


_last_beat = -BEAT_EVERY


def beat(status: str, job: str | None = None) -> str | None:
    """Says that the agent is well and answers what is wanted of it: run, pause, drain or stop. At most every 5 seconds."""
    global _last_beat
    if time.monotonic() - _last_beat < BEAT_EVERY:
        return None
    _last_beat = time.monotonic()
    said = {"status": status} if job is None else {"status": status, "job": job}
    return call("POST", f"/v1/agents/{AGENT}/beats", said)["desired"]


class Job:
    """A claimed job. Every write of it carries its lease or its token, which end together."""

    def __init__(self, fields: dict, held: Held):
        self.id: str = fields["id"]
        self.lease: str = fields["lease"]
        self.kind: str = fields["kind"]
        self.attempt: int = fields["attempt"]
        self.payload: dict = fields["payload"]
        self._token: str = fields["token"]
        self._held = held

    def event(self, event_type: str, payload: dict) -> None:
        """Files an event, once: its id comes from the job, so a second attempt does not file it again."""
        event = {"id": f"{self.id}:{event_type}", "event_type": event_type, "payload": payload, "subject": f"job:{self.id}"}
        try:
            call("POST", "/v1/events", event, token=self._token)
        except Refused as error:
            if error.code != "log.event_id_reused":
                raise

    def keep(self) -> None:
        """Called between the steps of long work; raises LeaseLost when somebody else may have the job."""
        self._held.keep(self)


class Held:
    """The jobs this process has leases of. One request renews all of them, sent by the work itself: who hangs loses them."""

    def __init__(self, jobs: list[dict]):
        self.jobs = {fields["id"]: Job(fields, self) for fields in jobs}
        self._renewed_at = time.monotonic()

    def keep(self, job: Job) -> None:
        if time.monotonic() - self._renewed_at < LEASE_SECONDS / 4:
            return
        self._renewed_at = time.monotonic()
        leases = [{"id": each.id, "lease": each.lease} for each in self.jobs.values()]
        answer = call("POST", "/v1/jobs/renewals", {"jobs": leases, "lease_seconds": LEASE_SECONDS})
        for gone in answer["lost"]:
            self.jobs.pop(gone["id"], None)
        if job.id not in self.jobs:
            raise LeaseLost("its lease ended")


def work(queues: list[str], handlers: dict, at_once: int = 1) -> None:
    """Claims and works until told to leave. `handlers` has a function for each kind; what it returns is the result."""
    say(f"{AGENT} works on {', '.join(queues)}")
    while _left_at is None:
        desired = beat("waiting for work")
        if desired in ("drain", "stop"):
            break
        # When it was too soon to say so, the wait is short: otherwise it would seem busy for all of a long one.
        held = Held(_claim(queues, at_once, BEAT_EVERY if desired is None else WAIT_SECONDS))
        # What was claimed is finished also when told to leave: claim no more than takes a few seconds.
        for job in list(held.jobs.values()):
            if job.id in held.jobs:
                _work_on(job, handlers.get(job.kind), held)
    say(f"{AGENT} leaves")


def _claim(queues: list[str], limit: int, wait: float) -> list[dict]:
    """A paused agent is answered too, with nothing, when the wait is over."""
    global _waiting
    wanted = {"queues": queues, "limit": limit, "wait": wait, "lease_seconds": LEASE_SECONDS}
    try:
        _waiting = True
        # The signal may have come just before that line.
        return [] if _left_at is not None else call("POST", "/v1/jobs/claims", wanted)["jobs"]
    except Leaving:
        return []
    finally:
        _waiting = False


def _work_on(job: Job, handler, held: Held) -> None:
    beat(f"{job.kind}, attempt {job.attempt}", job.id)
    try:
        job.keep()
        if handler is None:
            raise GiveUp(f'this agent knows no kind "{job.kind}"')
        outcome = {"outcome": "done", "result": handler(job)}
    except LeaseLost as error:
        return say(f"{job.id} was lost: {error}")
    except Exception as error:  # whatever a handler does wrong is the outcome of its job, not the end of the agent
        say(f"{job.id} ({job.kind}) failed: {error}")
        outcome = {"outcome": "failed", "error": str(error), "retry": not isinstance(error, GiveUp)}
    answer = call("POST", "/v1/jobs/completions", {"jobs": [{"id": job.id, "lease": job.lease, **outcome}]})
    for refused in answer["refused"]:
        say(f"{job.id}: the outcome was refused ({refused['code']})")
    held.jobs.pop(job.id, None)

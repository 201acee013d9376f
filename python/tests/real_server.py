"""Against the server whose address and tokens stand in the environment: not found by discovery, which has none."""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from itertools import islice
from typing import Any, Callable, List

from quarterdeck import Ask, GiveUp, Job, LeaseLost, Quarterdeck, QuarterdeckError, RateLimited, Worker, work
from quarterdeck.held_jobs import HeldJobs

operator = Quarterdeck(token=os.environ["OPERATOR_TOKEN"])
pricer = Quarterdeck()


class Lists(unittest.TestCase):
    def test_they_are_read_to_their_end(self) -> None:
        for n in range(7):
            operator.event.append(event_type="python.page", payload={"n": n})
        events = operator.event.list_all(event_type="python.page", limit=3)
        self.assertEqual([event["payload"]["n"] for event in events], list(range(7)))


class Live(unittest.TestCase):
    def test_every_event_comes_once_and_in_order_and_the_feed_goes_on_where_it_was(self) -> None:
        after = operator.event.list(order="desc", limit=1)["as_of"]
        for n in range(3):
            operator.event.append(event_type="python.live", payload={"n": n})
        first = list(islice(operator.live(["type:python.live"], after=after), 2))
        rest = operator.live(["type:python.live"], after=first[-1].cursor)
        received: List[Any] = [*first, next(rest)]
        operator.event.append(event_type="python.live", payload={"n": 3})
        received.append(next(rest))
        rest.close()
        self.assertEqual([message.event["payload"]["n"] for message in received], [0, 1, 2, 3])

    def test_broken_continuity_is_a_reset(self) -> None:
        feed = operator.live(after="00000000-5")
        self.assertTrue(next(feed).is_reset)
        feed.close()

    def test_a_revoked_token_ends_the_feed_with_an_error(self) -> None:
        made = operator.token.create(name="short", abilities=["log:read"])
        after = operator.event.list(order="desc", limit=1)["as_of"]
        feed = operator.with_token(made["token"]).live(["type:python.revoked"], after=after)
        operator.event.append(event_type="python.revoked", payload={"n": 1})
        self.assertEqual(next(feed).event["payload"], {"n": 1})
        operator.token.revoke(token_id=made["token_id"])
        operator.event.append(event_type="python.revoked", payload={"n": 2})
        with self.assertRaises(QuarterdeckError) as caught:
            next(feed)
        self.assertEqual(caught.exception.code, "unauthenticated")


class Workers(unittest.TestCase):
    def work(self, queue: str, count: int, handler: Any, **options: Any) -> List[str]:
        """Works until ``count`` jobs were in hand, and leaves by a signal as it would outside of tests."""
        lines: List[str] = []
        seen: List[Job] = []

        def counting(job: Job) -> Any:
            seen.append(job)
            if len(seen) == count:
                os.kill(os.getpid(), signal.SIGTERM)
            return handler(job)

        before = signal.getsignal(signal.SIGTERM)
        work([queue], counting, qd=pricer, lease_seconds=5, log=lines.append, **options)
        self.assertIs(signal.getsignal(signal.SIGTERM), before)
        return lines

    def test_a_step_is_done_once_in_a_job_and_its_result_is_kept(self) -> None:
        added = operator.job.add(kind="python-step")["jobs"][0]["id"]
        done: List[str] = []

        def noted(name: str, result: Any) -> Any:
            done.append(name)
            return result

        def stepwise(job: Job) -> Any:
            job.progress(0.5, "half")
            self.assertEqual(job.step("fetch", lambda: noted("fetch", {"rows": 12})), {"rows": 12})
            self.assertEqual(job.step("fetch", lambda: noted("again", None)), {"rows": 12})
            self.assertIsNone(job.step("nothing", lambda: noted("nothing", None)))
            return operator.step.list(job=job.id)["items"]

        self.work("python-step", 1, stepwise)
        shown = operator.job.show(job=added)
        self.assertEqual((shown["state"], done), ("done", ["fetch", "nothing"]))
        kept: Any = shown["result"]
        self.assertEqual([(each["step"], each["result"]) for each in kept], [("fetch", {"rows": 12}), ("nothing", None)])

    def test_jobs_are_done_in_the_name_of_their_tenant(self) -> None:
        added = operator.job.add(jobs=[{"kind": "python-price", "payload": {"n": n}} for n in range(3)], tenant="acme")

        def price(job: Job) -> Any:
            job.keep()
            job.emit("price.checked", {"n": job.payload["n"]}, once="checked")
            job.emit("price.checked", {"n": job.payload["n"]}, once="checked")
            return {"doubled": job.payload["n"] * 2}

        self.assertEqual(self.work("python-price", 3, price, concurrency=2), ["works on python-price", "leaves"])
        for n, job in enumerate(added["jobs"]):
            done = operator.job.show(job=job["id"])
            self.assertEqual((done["state"], done["result"]), ("done", {"doubled": n * 2}))
            events = operator.event.list(subject=f"job:{job['id']}", event_type="price.checked")["items"]
            self.assertEqual([(event["tenant"], event["payload"]) for event in events], [("acme", {"n": n})])

    def test_what_a_handler_raises_is_the_outcome(self) -> None:
        kinds = ["again", "never", "no-json"]
        added = operator.job.add(jobs=[{"kind": kind, "queue": "python-failing"} for kind in kinds])

        def fail(job: Job) -> Any:
            if job.kind == "never":
                raise GiveUp("it is hopeless")
            if job.kind == "no-json":
                return {"when": object()}
            raise ValueError("not today")

        lines = self.work("python-failing", 3, fail)
        self.assertEqual(len([line for line in lines if "failed" in line]), 3)
        again, never, no_json = [operator.job.show(job=job["id"]) for job in added["jobs"]]
        self.assertEqual((again["error"], again["attempt"]), ("not today", 1))
        self.assertEqual((never["error"], never["state"]), ("it is hopeless", "dead"))
        self.assertIn("not JSON serializable", no_json["error"] or "")

    def test_a_lost_lease_stops_the_handler(self) -> None:
        operator.job.add(kind="python-lost")
        claimed = pricer.job.claim(queues=["python-lost"], lease_seconds=5)["jobs"]
        # As if this process had hung for longer than its lease.
        held = HeldJobs(pricer, 5, 900, print)
        hold = held.add(claimed[0], time.monotonic() - 3600)
        report: Any = {"id": claimed[0]["id"], "lease": claimed[0]["lease"], "outcome": "failed", "retry": False}
        pricer.job.complete(jobs=[report])
        with self.assertRaises(LeaseLost):
            held.keep(hold)
        self.assertTrue(hold.cancelled.is_set())

    def test_several_jobs_are_in_hand_at_once(self) -> None:
        added = operator.job.add(jobs=[{"kind": "python-wide"} for _ in range(3)])["jobs"]
        together = threading.Barrier(3, timeout=30)
        self.work("python-wide", 3, lambda job: together.wait(), concurrency=3)
        for job in added:
            self.assertEqual(operator.job.show(job=job["id"])["state"], "done")

    def test_honest_work_that_says_nothing_keeps_its_lease_and_a_cancelled_job_is_told(self) -> None:
        job_id = operator.job.add(kind="python-long")["jobs"][0]["id"]
        seen: List[bool] = []

        def wait(job: Job) -> None:
            first = operator.job.show(job=job.id)["lease_until"]
            until(lambda: operator.job.show(job=job.id)["lease_until"] > first)
            operator.job.cancel(jobs=[job.id], reason="not wanted")
            seen.append(job.cancelled.wait(30))

        lines = self.work("python-long", 1, wait, stop_seconds=60)
        self.assertEqual(seen, [True])
        self.assertEqual(operator.job.show(job=job_id)["state"], "cancelled")
        # It did not heed: what it said was refused.
        refused = [line for line in lines if "refused" in line]
        self.assertEqual(refused, [f"{job_id}: the outcome was refused (work.stale_lease)"])

    def test_what_cannot_be_finished_in_time_is_given_back_at_once(self) -> None:
        job_id = operator.job.add(kind="python-given-back")["jobs"][0]["id"]

        def stop(job: Job) -> None:
            job.cancelled.wait(30)
            job.keep()

        self.work("python-given-back", 1, stop, stop_seconds=0)
        shown = operator.job.show(job=job_id)
        self.assertEqual(shown["error"], "the worker left")
        self.assertIn(shown["state"], ("queued", "scheduled"))

    def test_a_provider_that_refuses_holds_the_channel_back(self) -> None:
        operator.channel.set(channel="python-provider", concurrency=2)
        job_id = operator.job.add(kind="python-limited", channel="python-provider")["jobs"][0]["id"]

        def refuse(job: Job) -> None:
            raise RateLimited(300)

        self.work("python-limited", 1, refuse)
        self.assertEqual(operator.job.show(job=job_id)["state"], "scheduled")
        self.assertIsNotNone(operator.channel.show(channel="python-provider")["paused"])

    def test_who_asks_holds_nothing_and_is_told_what_was_decided(self) -> None:
        job_id = operator.job.add(kind="python-asking")["jobs"][0]["id"]

        def ask(job: Job) -> Any:
            if job.approval is None:
                raise Ask("delete 3 accounts", {"accounts": ["a", "b", "c"]})
            return job.approval["decision"]

        self.work("python-asking", 1, ask)
        self.assertEqual(operator.job.show(job=job_id)["state"], "awaiting_approval")
        asked = operator.approval.list(job=job_id)["items"][0]
        operator.approval.decide(approval=asked["id"], decision="approve")
        self.work("python-asking", 1, ask)
        self.assertEqual(operator.job.show(job=job_id)["result"], "approve")

    def test_too_large_a_result_is_a_failure(self) -> None:
        job_id = operator.job.add(kind="python-large")["jobs"][0]["id"]
        self.work("python-large", 1, lambda job: "x" * 300_000)
        self.assertIn("300002 bytes", operator.job.show(job=job_id)["error"] or "")


KILLED = """
import os, sys
from quarterdeck import Worker
from quarterdeck import outcomes

# The outcome is on the disk, and the process ends before it is sent.
outcomes.Outcomes._send = lambda self: None
original = outcomes.Outcomes.report

def report(self, outcome):
    original(self, outcome)
    os.kill(os.getpid(), 9)

outcomes.Outcomes.report = report
worker = Worker(outbox=sys.argv[1])
worker.on("python-killed", lambda job: "by the first")
worker.run()
"""


class Outboxes(unittest.TestCase):
    def test_the_outcome_of_a_worker_that_was_killed_is_reported_once_by_the_next(self) -> None:
        job_id = operator.job.add(kind="python-killed")["jobs"][0]["id"]
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "outcomes")
            first = subprocess.run([sys.executable, "-c", KILLED, path], stdout=subprocess.DEVNULL, timeout=50)
            self.assertEqual(first.returncode, -signal.SIGKILL)
            self.assertEqual(operator.job.show(job=job_id)["state"], "running")
            lines: List[str] = []
            # The same again while the lease is no longer valid: refused, and dropped.
            for _ in range(2):
                with open(path, encoding="utf-8") as file:
                    left = file.read()
                worker = Worker(qd=pricer, outbox=path, log=lines.append)
                worker.on("python-killed", lambda job: "by another")
                worker.leave()
                worker.run()
                with open(path, "w", encoding="utf-8") as file:
                    file.write(left)
            shown = operator.job.show(job=job_id)
            self.assertEqual((shown["state"], shown["result"], shown["attempt"]), ("done", "by the first", 1))
            refused = [line for line in lines if "refused" in line]
            self.assertEqual(refused, [f"{job_id}: the outcome was refused (work.stale_lease)"])


def until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError("it did not come about")
        time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()

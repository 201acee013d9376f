"""Against the server whose address and tokens stand in the environment: not found by discovery, which has none."""

import os
import signal
import unittest
from itertools import islice
from typing import Any, List

from quarterdeck import GiveUp, Job, LeaseLost, Quarterdeck, QuarterdeckError, work
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
    def work(self, queue: str, count: int, handler: Any, limit: int = 1) -> List[str]:
        """Works until ``count`` jobs were in hand, and leaves by a signal as it would outside of tests."""
        lines: List[str] = []
        seen: List[Job] = []

        def counting(job: Job) -> Any:
            seen.append(job)
            if len(seen) == count:
                os.kill(os.getpid(), signal.SIGTERM)
            return handler(job)

        before = signal.getsignal(signal.SIGTERM)
        work([queue], counting, qd=pricer, limit=limit, lease_seconds=5, log=lines.append)
        self.assertIs(signal.getsignal(signal.SIGTERM), before)
        return lines

    def test_jobs_are_done_in_the_name_of_their_tenant(self) -> None:
        added = operator.job.add(jobs=[{"kind": "python-price", "payload": {"n": n}} for n in range(3)], tenant="acme")

        def price(job: Job) -> Any:
            job.keep()
            job.emit("price.checked", {"n": job.payload["n"]}, once="checked")
            job.emit("price.checked", {"n": job.payload["n"]}, once="checked")
            return {"doubled": job.payload["n"] * 2}

        self.assertEqual(self.work("python-price", 3, price, limit=2), ["works on python-price", "leaves"])
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
        held = HeldJobs(pricer, claimed, 5, -1e9)
        report: Any = {"id": claimed[0]["id"], "lease": claimed[0]["lease"], "outcome": "failed", "retry": False}
        pricer.job.complete(jobs=[report])
        with self.assertRaises(LeaseLost):
            held.keep(claimed[0]["id"])


if __name__ == "__main__":
    unittest.main()

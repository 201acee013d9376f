import unittest
from typing import Any, Callable, Dict, List, Optional
from unittest import mock

from quarterdeck import LeaseLost, QuarterdeckError
from quarterdeck.held_jobs import HeldJobs

Answer = Callable[[List[Dict[str, str]]], Any]


def all_renewed(jobs: List[Dict[str, str]]) -> Any:
    return {"renewed": [{"id": job["id"]} for job in jobs], "lost": []}


def away(_jobs: List[Dict[str, str]]) -> Any:
    raise QuarterdeckError("sdk.unreachable", 0, "away", retryable=True)


class Server:
    """Stands in for the client, with the clock."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: List[List[str]] = []
        self.now = 0.0
        self.job = self

    def renew(self, *, jobs: List[Dict[str, str]], **_more: Any) -> Any:
        self.asked.append([job["id"] for job in jobs])
        return self.answer(jobs)


class Leases(unittest.TestCase):
    def start(self, answer: Answer, *, stall: float = 900, jobs: int = 2, run_until: Optional[str] = None) -> None:
        self.server = Server(answer)
        patched = mock.patch("quarterdeck.held_jobs.time.monotonic", lambda: self.server.now)
        patched.start()
        self.addCleanup(patched.stop)
        self.lines: List[str] = []
        self.held = HeldJobs(self.server, 60, stall, self.lines.append)  # type: ignore[arg-type]
        self.holds = [
            self.held.add(
                {"id": f"job_{n}", "lease": f"1.{n}", "lease_until": "2030-01-01T00:01:00Z", "run_until": run_until},  # type: ignore[typeddict-item]
                0.0,
            )
            for n in range(jobs)
        ]

    def passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.server.now += 1
            self.held.tick()

    def test_they_are_renewed_together_when_a_quarter_of_their_time_is_over(self) -> None:
        self.start(all_renewed)
        self.passes(14)
        self.assertEqual(self.server.asked, [])
        self.passes(1)
        self.assertEqual(self.server.asked, [["job_0", "job_1"]])
        self.passes(60)
        self.assertEqual(len(self.server.asked), 5)

    def test_what_the_server_calls_lost_is_cancelled_and_only_that(self) -> None:
        for reason in ("expired", "taken", "timeout", "cancelled", "budget"):
            with self.subTest(reason):
                self.start(lambda jobs, reason=reason: {"renewed": [], "lost": [{"id": "job_0", "reason": reason}]})
                self.passes(15)
                lost, kept = self.holds
                self.assertTrue(lost.cancelled.is_set())
                self.assertEqual(getattr(lost.reason, "reason", None), reason)
                self.assertFalse(kept.cancelled.is_set())
                with self.assertRaises(LeaseLost):
                    self.held.keep(lost)
                self.held.keep(kept)
                mock.patch.stopall()

    def test_while_the_server_is_away_the_work_goes_on_but_who_asks_is_told(self) -> None:
        self.start(away)
        self.passes(59)
        self.held.keep(self.holds[0])
        self.passes(600)
        self.assertFalse(self.holds[0].cancelled.is_set())
        with self.assertRaisesRegex(LeaseLost, "away for longer than the lease"):
            self.held.keep(self.holds[0])
        self.server.answer = all_renewed
        self.passes(1)
        self.held.keep(self.holds[0])

    def test_a_handler_that_gives_no_sign_is_not_kept_for_ever(self) -> None:
        self.start(all_renewed, stall=100)
        self.passes(101)
        self.assertTrue(self.held.all_stalled)
        asked = len(self.server.asked)
        self.passes(60)
        self.assertEqual(len(self.server.asked), asked)
        self.assertEqual(getattr(self.holds[0].reason, "reason", None), "stalled")
        self.assertIn("gives no sign", self.lines[0])

    def test_a_handler_that_gives_signs_is(self) -> None:
        self.start(all_renewed, stall=100, jobs=1)
        for _ in range(10):
            self.passes(90)
            self.held.keep(self.holds[0])
        self.assertFalse(self.holds[0].cancelled.is_set())

    def test_keep_alone_renews_when_that_is_asked_for(self) -> None:
        self.start(all_renewed, stall=0, jobs=1)
        self.passes(20)
        self.assertEqual(self.server.asked, [])
        self.held.keep(self.holds[0])
        self.assertEqual(len(self.server.asked), 1)

    def test_the_longest_runtime_ends_it_whatever_the_server_answers(self) -> None:
        self.start(away, run_until="2030-01-01T00:02:00.000Z")
        self.passes(119)
        self.assertFalse(self.holds[0].cancelled.is_set())
        self.passes(1)
        self.assertEqual(getattr(self.holds[0].reason, "reason", None), "timeout")

    def test_a_finished_job_is_kept_until_its_outcome_is_heard(self) -> None:
        self.start(all_renewed, stall=10, jobs=1)
        self.held.finished(self.holds[0])
        self.passes(60)
        self.assertGreater(len(self.server.asked), 2)
        self.held.forget("job_0")
        asked = len(self.server.asked)
        self.passes(60)
        self.assertEqual(len(self.server.asked), asked)


if __name__ == "__main__":
    unittest.main()

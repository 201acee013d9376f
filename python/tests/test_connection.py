import json
import os
import threading
import unittest
from typing import Any
from unittest import mock

from quarterdeck import CallOptions, Quarterdeck, QuarterdeckError
from quarterdeck.retry import pause_seconds, retry_after_seconds

from .scripted_server import Said, ScriptedServer, problem

ADDED = Said({"jobs": [{"id": "job_1", "state": "queued", "existing": False}]}, 201)


class ServerCase(unittest.TestCase):
    def server(self, *answers: Any, port: int = 0) -> ScriptedServer:
        server = ScriptedServer(*answers, port=port)
        self.addCleanup(server.close)
        return server

    def client(self, server: ScriptedServer, **more: Any) -> Quarterdeck:
        return Quarterdeck(server.url, "qd_agent_secret", agent="pricer", **more)

    def refused(self, code: str) -> Any:
        case = self

        class Refused:
            def __enter__(self) -> Any:
                self.context = case.assertRaises(QuarterdeckError)
                self.inner = self.context.__enter__()
                return self.inner

            def __exit__(self, *args: Any) -> bool:
                done = self.context.__exit__(*args)
                case.assertEqual(self.inner.exception.code, code)
                return done

        return Refused()


class Calls(ServerCase):
    def test_belongs_to_a_trace_when_it_is_given_one_and_to_none_otherwise(self) -> None:
        trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
        server = self.server(ADDED)
        qd = self.client(server)
        qd.with_token("qd_job_secret", trace).job.add(kind="a")
        qd.job.add(kind="a")
        self.assertEqual([asked.headers.get("traceparent") for asked in server.asked], [trace, None])

    def test_a_call_is_one_call_however_often_it_is_tried(self) -> None:
        server = self.server(problem(503, "unavailable", True), "hang_up", ADDED)
        self.assertEqual(self.client(server).job.add(kind="reprice"), ADDED.body)
        self.assertEqual(len(server.asked), 3)
        self.assertEqual(len({asked.headers["idempotency-key"] for asked in server.asked}), 1)
        self.assertEqual({asked.body for asked in server.asked}, {b'{"kind": "reprice"}'})

    def test_each_call_has_a_key_of_its_own_or_the_one_it_is_given(self) -> None:
        server = self.server(ADDED)
        qd = self.client(server)
        qd.job.add(kind="a")
        qd.job.add(kind="a")
        qd.job.add(kind="a", options=CallOptions(idempotency_key="mine"))
        keys = [asked.headers["idempotency-key"] for asked in server.asked]
        self.assertEqual(len(set(keys)), 3)
        self.assertEqual(keys[2], "mine")

    def test_what_the_server_refuses_is_not_tried_again(self) -> None:
        server = self.server(problem(422, "invalid_input"))
        with self.refused("invalid_input") as caught:
            self.client(server).job.add(kind="A")
        error = caught.exception
        self.assertEqual((error.status, error.hint, error.request_id), (422, "Do something.", "req_1"))
        self.assertFalse(error.retryable)
        self.assertEqual(len(server.asked), 1)

    def test_retry_after_is_waited_for_or_fails_at_once(self) -> None:
        paused = []
        server = self.server(problem(429, "rate_limited", True, retry_after="7"), ADDED)
        qd = self.client(server)
        qd._connection.pause = paused.append
        qd.job.add(kind="a")
        self.assertGreater(paused[0], 7)
        with self.refused("rate_limited"):
            self.client(self.server(problem(429, "rate_limited", True, retry_after="3600"))).job.list()

    def test_a_server_that_says_nothing_or_drips_runs_into_the_time_limit(self) -> None:
        with self.refused("sdk.timed_out"):
            self.client(self.server("never"), timeout=0.05, retry_for=0).access.me()

    def test_a_server_that_is_away_is_waited_for(self) -> None:
        gone = ScriptedServer(ADDED)
        gone.close()
        with self.refused("sdk.unreachable"):
            self.client(gone, retry_for=0).job.add(kind="a")
        answers = []
        waiting = threading.Thread(target=lambda: answers.append(self.client(gone).job.add(kind="a")))
        waiting.start()
        self.server(ADDED, port=gone.port)
        waiting.join(10)
        self.assertEqual(answers, [ADDED.body])

    def test_html_is_no_answer_and_no_redirect_is_followed_with_the_token(self) -> None:
        other = self.server(Said({}))
        server = self.server(
            Said("<html>Welcome to the hotel</html>"),
            Said("", 302, {"location": other.url}),
            Said("<html>Bad gateway</html>", 502),
            Said({"kind": "agent"}),
        )
        qd = self.client(server)
        for status in (200, 302):
            with self.refused("sdk.bad_answer") as caught:
                qd.access.me()
            self.assertEqual(caught.exception.status, status)
        self.assertEqual(qd.access.me(), {"kind": "agent"})
        self.assertEqual(other.asked, [])

    def test_fields_that_a_newer_server_adds_do_no_harm(self) -> None:
        server = self.server(Said({"desired": "run", "time": "t", "mood": "fine"}))
        self.assertEqual(self.client(server).agent.beat(agent="pricer")["desired"], "run")

    def test_the_address_is_made_of_the_input(self) -> None:
        server = self.server(Said({}))
        qd = self.client(server)
        qd.agent.pause(agent="a/b@c", reason="x")
        qd.job.list(state="done", limit=5)
        with self.assertRaises(TypeError):
            qd.job.show(job="")
        self.assertEqual(
            [(asked.method, asked.path, asked.body) for asked in server.asked],
            [("PUT", "/v1/agents/a%2Fb%40c/pause", b'{"reason": "x"}'), ("GET", "/v1/jobs?state=done&limit=5", b"")],
        )


class Clients(unittest.TestCase):
    def test_address_and_credential_come_from_the_environment(self) -> None:
        variables = {"QUARTERDECK_URL": "http://127.0.0.1:4600/", "QUARTERDECK_TOKEN": "qd_agent_x"}
        with mock.patch.dict(os.environ, variables):
            self.assertEqual(Quarterdeck().url, "http://127.0.0.1:4600")
            self.assertNotIn("qd_agent_x", repr(Quarterdeck()))
            with self.assertRaisesRegex(TypeError, "no address"):
                Quarterdeck("ftp://x")
            with self.assertRaisesRegex(TypeError, "no token has"):
                Quarterdeck(token="two words")
        with mock.patch.dict(os.environ, {"QUARTERDECK_URL": "http://x", "QUARTERDECK_TOKEN": ""}):
            with self.assertRaisesRegex(TypeError, "QUARTERDECK_TOKEN"):
                Quarterdeck()


class Beats(ServerCase):
    def test_one_in_five_seconds_is_sent(self) -> None:
        server = self.server(Said({"desired": "pause", "time": "t"}))
        qd = self.client(server)
        self.assertEqual({qd.beat("working", "job_1") for _ in range(100)}, {"pause"})
        self.assertEqual([json.loads(asked.body) for asked in server.asked], [{"status": "working", "job": "job_1"}])

    def test_an_absent_server_does_not_stop_the_work_and_a_refusal_does(self) -> None:
        self.assertEqual(self.client(self.server(problem(503, "unavailable", True))).beat(), "run")
        with self.refused("unauthenticated"):
            self.client(self.server(problem(401, "unauthenticated"))).beat()


class Pauses(unittest.TestCase):
    def test_they_grow_and_never_undercut_retry_after(self) -> None:
        self.assertEqual([pause_seconds(tries, 0, 1) for tries in range(4)], [0.25, 0.5, 1, 2])
        self.assertGreater(pause_seconds(0, 9, 0), 9)
        self.assertLessEqual(pause_seconds(1000, 9, 1), 39)

    def test_retry_after_is_understood_in_both_forms(self) -> None:
        known = {"3": 3, "-5": 0, "soon": 0, "inf": 0, "nan": 0, "Thu, 01 Jan 1970 00:01:00 GMT": 50}
        self.assertEqual({header: retry_after_seconds(header, 10) for header in known}, known)

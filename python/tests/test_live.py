import json
import unittest
from itertools import islice
from typing import Any, List
from unittest import mock

from quarterdeck import QuarterdeckError

from .scripted_server import Said, ScriptedServer, problem
from .test_connection import ServerCase


def stream(text: str, stays_open: bool = False) -> Said:
    return Said(text, 200, {"content-type": "text/event-stream; charset=utf-8"}, stays_open)


def event(n: int) -> str:
    data = json.dumps({"cursor": f"e-{n}", "payload": {"n": n}, "added_later": True})
    return f"id: e-{n}\nevent: event\ndata: {data}\n\n"


class Live(ServerCase):
    def take(self, server: ScriptedServer, count: int) -> List[Any]:
        qd = self.client(server)
        qd._connection.pause = lambda _: None
        feed = qd.live(["a", "b"], after="e-0")
        taken = ["reset" if message.event is None else message.event["payload"]["n"] for message in islice(feed, count)]
        feed.close()
        return taken

    def test_it_goes_on_behind_the_last_event_after_a_break_also_in_the_middle_of_one(self) -> None:
        server = self.server(
            stream(f'event: state\nid: e-0\ndata: {{"state":"resumed","cursor":"e-0"}}\n\n{event(1)}{event(2)[:-9]}'),
            problem(503, "unavailable", True),
            "hang_up",
            stream(f"{event(2)}event: of_the_future\nid: e-2\ndata: {{}}\n\n{event(3)}"),
        )
        self.assertEqual(self.take(server, 3), [1, 2, 3])
        places = [asked.path.rpartition("=")[2] for asked in server.asked]
        self.assertEqual(places, ["e-0", "e-1", "e-1", "e-1"])
        self.assertTrue(server.asked[0].path.startswith("/v1/live?topics=a%2Cb&"))

    def test_it_leaves_a_connection_on_which_nothing_comes_any_more(self) -> None:
        server = self.server(stream(event(1), True), stream(event(2)))
        with mock.patch("quarterdeck.live.LONGEST_SILENCE", 0.1):
            self.assertEqual(self.take(server, 2), [1, 2])

    def test_a_reset_is_told_and_the_feed_goes_on_from_there(self) -> None:
        server = self.server(stream('event: state\nid: f-9\ndata: {"state":"reset","cursor":"f-9"}\n\n'), stream(event(10)))
        self.assertEqual(self.take(server, 2), ["reset", 10])
        self.assertIn("after=f-9", server.asked[1].path)

    def test_a_refusal_ends_it_with_an_error_and_so_does_something_else_that_answers(self) -> None:
        for answers in ([stream(event(1)), problem(401, "token_expired")], [Said("<html>Welcome</html>")]):
            with self.assertRaises(QuarterdeckError) as caught:
                self.take(self.server(*answers), 2)
            self.assertIn(caught.exception.code, ("token_expired", "sdk.bad_answer"))


if __name__ == "__main__":
    unittest.main()

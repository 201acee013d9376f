import json
import os
import random
import tempfile
import threading
import unittest
from typing import Any, Callable, Dict, List

from quarterdeck import Outbox, QuarterdeckError


class Log:
    """A server that keeps each id once, as the real one does, and can be away, refuse, or lose its answer."""

    def __init__(self, mood: str = "well") -> None:
        self.mood = mood
        self.kept: List[Dict[str, Any]] = []
        self.refuses: Callable[[Dict[str, Any]], bool] = lambda _: False
        self.asked = threading.Event()
        self.event = self

    def append(self, events: List[Dict[str, Any]], options: object) -> None:
        self.asked.set()
        if self.mood == "away":
            raise QuarterdeckError("sdk.unreachable", 0, "away", retryable=True)
        if any(self.refuses(event) for event in events):
            raise QuarterdeckError("invalid_input", 422, "no")
        known = {event["id"] for event in self.kept}
        self.kept += [event for event in events if event["id"] not in known]
        if self.mood == "answers_get_lost":
            raise QuarterdeckError("sdk.timed_out", 0, "late", retryable=True)

    @property
    def numbers(self) -> List[Any]:
        return [event["payload"]["n"] for event in self.kept]


class Outboxes(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory(prefix="qd-outbox-")
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, "events.ndjson")

    def open(self, log: Log) -> Outbox:
        return Outbox(self.path, log)  # type: ignore[arg-type]

    def test_events_wait_while_the_server_is_away_and_are_sent_in_order(self) -> None:
        log = Log("away")
        with self.open(log) as outbox:
            for n in range(250):
                outbox.emit("a.b", {"n": n}, subject="agent:pricer")
            self.assertEqual(outbox.waiting, 250)
            log.mood = "well"
            self.assertTrue(outbox.flush())
        self.assertEqual(log.numbers, list(range(250)))
        self.assertEqual(os.path.getsize(self.path), 0)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)

    def test_what_an_earlier_process_left_is_sent_once_also_when_answers_got_lost(self) -> None:
        log = Log("answers_get_lost")
        first = self.open(log)
        for n in range(5):
            first.emit("a.b", {"n": n})
        self.assertTrue(log.asked.wait(5))
        first.close(0)
        log.mood = "well"
        with self.open(log) as second:
            self.assertTrue(second.flush())
        self.assertEqual(log.numbers, [0, 1, 2, 3, 4])

    def test_a_file_torn_anywhere_leaves_a_prefix_that_is_sent_exactly_once(self) -> None:
        chance = random.Random(20)
        for _ in range(40):
            count = chance.randint(1, 10)
            dying = self.open(Log("away"))
            for n in range(count):
                dying.emit("a.b", {"n": n, "text": "ä" * chance.randint(0, 20)})
            dying.close(0)
            with open(self.path, "rb") as file:
                whole = file.read()
            lines = whole.split(b"\n")[:-1]
            taken = chance.randint(0, count)
            log = Log()
            log.append([json.loads(line) for line in lines[:taken]], None)
            place = chance.randint(0, len(whole))
            os.truncate(self.path, place)
            with self.open(log) as outbox:
                outbox.emit("a.b", {"n": "next"})
                self.assertTrue(outbox.flush())
            known = max(taken, whole[:place].count(b"\n"))
            self.assertEqual(log.numbers, [*range(known), "next"])

    def test_what_is_refused_is_set_aside_and_holds_nothing_up(self) -> None:
        log = Log("away")
        log.refuses = lambda event: event["payload"]["n"] == 3
        with self.open(log) as outbox:
            for n in range(8):
                outbox.emit("a.b", {"n": n})
            log.mood = "well"
            self.assertTrue(outbox.flush())
        self.assertEqual(log.numbers, [0, 1, 2, 4, 5, 6, 7])
        with open(f"{self.path}.refused", encoding="utf-8") as file:
            self.assertEqual(json.load(file)["event"]["payload"], {"n": 3})

    def test_it_is_held_by_one_process_and_taken_over_from_a_dead_one(self) -> None:
        with self.open(Log()):
            with self.assertRaisesRegex(RuntimeError, f"held by process {os.getpid()}"):
                self.open(Log())
        for pid in ("999999999", str(os.getpid())):
            with open(f"{self.path}.lock", "w", encoding="ascii") as file:
                file.write(pid)
            self.open(Log()).close()

"""Client of Quarterdeck for agents. Standard library only; Python 3.9 or newer."""

from .client import Quarterdeck
from .errors import QuarterdeckError
from .held_jobs import LeaseLost
from .job import Ask, GiveUp, Job, Leaving, RateLimited
from .live import LiveMessage
from .outbox import Outbox
from .wire import CallOptions
from .worker import Worker, work

__all__ = [
    "Ask",
    "CallOptions",
    "GiveUp",
    "Job",
    "LeaseLost",
    "Leaving",
    "LiveMessage",
    "Outbox",
    "Quarterdeck",
    "QuarterdeckError",
    "RateLimited",
    "Worker",
    "work",
]

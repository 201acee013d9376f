"""When the next try comes. Pure: the clock and chance are given."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Optional

FIRST = 0.25
LONGEST = 30.0


def pause_seconds(tries: int, told: float, chance: float) -> float:
    """Seconds before the next try, ``tries`` having failed. It doubles up to half a minute; half of it is chance, so that
    a whole fleet does not come back in the same moment. ``told`` is what Retry-After said, and is never undercut."""
    most = min(LONGEST, FIRST * 2 ** min(tries, 16))
    return told + most * (0.5 + chance / 2)


def retry_after_seconds(header: Optional[str], now: float) -> float:
    """Retry-After in either of its forms (RFC 9110 §10.2.3); 0 when there is none or it says nothing."""
    if header is None:
        return 0.0
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now
        except (TypeError, ValueError, OverflowError):
            return 0.0
    return seconds if 0 < seconds < float("inf") else 0.0

"""Lists beyond one page."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, Optional

from .wire import CallOptions


def all_items(page: Callable[..., Any], given: Dict[str, Any], options: Optional[CallOptions]) -> Iterator[Any]:
    """Every item, asking for the next page when the one before is used up."""
    while True:
        answer = page(**given, options=options)
        yield from answer["items"]
        if answer["next_cursor"] is None or not answer["items"]:
            return
        given = {**given, "after": answer["next_cursor"]}

"""An HTTP server that answers what a test tells it, in order, and remembers what it was asked."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, NamedTuple, Optional, Union


class Said(NamedTuple):
    """Text is sent as HTML, unless the headers say otherwise."""

    body: Union[str, Dict[str, Any]]
    status: int = 200
    headers: Optional[Dict[str, str]] = None
    stays_open: bool = False


class Asked(NamedTuple):
    method: str
    path: str
    headers: Dict[str, str]
    body: bytes


def problem(status: int, code: str, retryable: bool = False, **headers: str) -> Said:
    body = {"code": code, "detail": f"it was {code}", "hint": "Do something.", "retryable": retryable, "request_id": "req_1"}
    return Said(body, status, {name.replace("_", "-"): value for name, value in headers.items()})


class ScriptedServer:
    """``never``: it takes the request and says nothing. ``hang_up``: it closes the connection in the middle. The last
    answer is given from then on."""

    def __init__(self, *answers: Union[str, Said], port: int = 0) -> None:
        self.asked: List[Asked] = []
        self._closing = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                owner.asked.append(Asked(self.command, self.path, headers, body))
                answer = answers[min(len(owner.asked), len(answers)) - 1]
                if answer == "never":
                    owner._closing.wait(30)
                elif answer == "hang_up":
                    self.send_response(200)
                    self.send_header("content-length", "1000")
                    self.end_headers()
                    self.wfile.write(b'{"half":')
                elif isinstance(answer, Said):
                    is_text = isinstance(answer.body, str)
                    data = answer.body.encode() if isinstance(answer.body, str) else json.dumps(answer.body).encode()
                    self.send_response(answer.status)
                    kind = "text/html" if is_text else "application/json"
                    for name, value in {"content-type": kind, **(answer.headers or {})}.items():
                        self.send_header(name, value)
                    if not answer.stays_open:
                        self.send_header("content-length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                    self.wfile.flush()
                    if answer.stays_open:
                        owner._closing.wait(30)

            do_GET = do_POST = do_PUT = do_DELETE = _answer

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

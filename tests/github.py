"""A stand-in for GitHub's API on loopback: the comments of one pull request."""

from __future__ import annotations

import json
import re
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class GitHub:
    """Comments of pull requests, 100 a page, as GitHub's API gives and takes them."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.refuses = False
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = int(re.findall(r"[?&]page=(\d+)", self.path)[0])
                assert self.path.startswith("/repos/ours/models/issues/7/comments?per_page=100")
                self.answer(hub.comments[100 * (page - 1) : 100 * page])

            def do_POST(self) -> None:
                assert self.path == "/repos/ours/models/issues/7/comments"
                hub.comments.append({"id": 1000 + len(hub.comments), **self.sent(), "html_url": "https://new"})
                self.answer(hub.comments[-1])

            def do_PATCH(self) -> None:
                (one,) = (c for c in hub.comments if self.path == f"/repos/ours/models/issues/comments/{c['id']}")
                one |= {**self.sent(), "html_url": "https://same"}
                self.answer(one)

            def sent(self) -> Any:
                assert self.headers["Authorization"] == "Bearer a token"
                return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

            def answer(self, content: object) -> None:
                body = json.dumps(content).encode()
                self.send_response(403 if hub.refuses else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

#!/usr/bin/env python3
"""An API whose tokens expire: POST /token, and GET /items?page=N with 1,000 records of 500 bytes.

    api.py PORT N_PAGES SECONDS_OF_A_TOKEN      prints, when it is ended, how many tokens it gave out
"""
import json
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

port, n_pages, life = (int(word) for word in sys.argv[1:])
given = []


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        given.append(time.monotonic())
        self.answer(200, {"access_token": str(len(given)), "expires_in": life})

    def do_GET(self):
        time.sleep(0.03)
        number = int(self.headers.get("Authorization", "Bearer 0").split()[1])
        if not 0 < number <= len(given) or time.monotonic() > given[number - 1] + life + 1:
            return self.answer(401, {"error": "expired"})
        page = int(parse_qs(urlparse(self.path).query).get("page", ["1"])[0])
        ids = range((page - 1) * 1000, page * 1000) if page <= n_pages else ()
        self.answer(200, [{"id": number, "text": "x" * 480} for number in ids])


def end(*_):
    print(len(given), flush=True)
    sys.exit()


signal.signal(signal.SIGTERM, end)
ThreadingHTTPServer(("127.0.0.1", port), Api).serve_forever()

"""A service that predicts over HTTP and writes the predictions log; it can be told to sleep, to leak or to fail.

    python served.py LOG [sleeps|leaks|errs]

Prints its port, and serves until it is ended.
"""

import json
import math
import os
import shutil
import sys
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

USUAL = 0.005  # seconds of a call
NAPS, SECONDS, EVERY = 4, 0.06, 5  # one call of so many sleeps for so long; one of so many fails
PAGE = 4096
LOG, FAULT = Path(sys.argv[1]), (*sys.argv[2:], "")[0]
MODEL = bytearray(b"x") * (64 << 20)
leaked: list[bytearray] = []


class Refused(Exception):
    """A fault of the service's own."""


def predict(row: dict[str, Any], call: int) -> float:
    time.sleep(SECONDS if FAULT == "sleeps" and call % NAPS == 0 else USUAL)
    if FAULT == "leaks":
        leaked.append(bytearray(b"x") * (256 << 10))
    if FAULT == "errs" and call % EVERY == 0:
        raise Refused("the feature store is away")
    return 1 / (1 + math.exp(-2 * row["x"]))


def resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    calls = 0

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        Service.calls += 1
        begin, disk = time.monotonic(), shutil.disk_usage("/")
        line: dict[str, Any] = {"time": datetime.now(UTC).isoformat(), "version": "v0.1.0"}
        line |= {"process": str(os.getpid()), "key": asked["id"], "inputs": asked["inputs"]}
        try:
            share = predict(asked["inputs"], Service.calls)
            line |= {"prediction": share > 0.5, "probability": share}
        except Refused as error:
            line |= {"error": str(error)}
        line |= {"seconds": time.monotonic() - begin, "memory_mb": resident_mb()}
        line |= {"disk_free_share": disk.free / disk.total}
        with LOG.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        answer = json.dumps({key: line.get(key) for key in ("prediction", "error")}).encode()
        self.send_response(500 if "error" in line else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        """Not to stderr."""


if __name__ == "__main__":
    server = HTTPServer(("127.0.0.1", 0), Service)
    print(server.server_port, flush=True)
    server.serve_forever()

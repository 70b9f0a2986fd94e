"""Serves moto on a free port of the loopback address and ends with the process that started it.

Time in it is the platform's: each request carries how far that is from the wall.
The port is printed as the first line of standard output. The parent holds the other end of standard
input: when it is gone, also by SIGKILL, the pipe closes and this process ends at once.
"""

import datetime
import os
import sys
import threading


def end_with_parent() -> None:
    while sys.stdin.buffer.read(65536):
        pass
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()

import flask  # noqa: E402
import moto.core.utils  # noqa: E402

wall_time = moto.core.utils.utcnow


def platform_time() -> datetime.datetime:
    """The platform's clock, which may be hours ahead: log events of its future would be dropped as too new."""
    if not flask.has_request_context():
        return wall_time()
    offset = float(flask.request.headers.get("x-platform-clock-offset", 0))
    return wall_time() + datetime.timedelta(milliseconds=offset)


# Before any service of moto takes this function by name.
moto.core.utils.utcnow = platform_time

from moto.moto_server.werkzeug_app import (  # noqa: E402
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server  # noqa: E402


class QuietHandler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: object = "-", size: object = "-") -> None:
        pass


server = make_server(
    "127.0.0.1",
    0,
    DomainDispatcherApplication(create_backend_app),
    threaded=True,
    request_handler=QuietHandler,
)
print(server.socket.getsockname()[1], flush=True)
server.serve_forever()

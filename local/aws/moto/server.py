"""Serves moto on a free port of the loopback address and ends with the process that started it.

The port is printed as the first line of standard output. The parent holds the other end of standard
input: when it is gone, also by SIGKILL, the pipe closes and this process ends at once.
"""

import os
import sys
import threading


def end_with_parent() -> None:
    while sys.stdin.buffer.read(65536):
        pass
    os._exit(0)


threading.Thread(target=end_with_parent, daemon=True).start()

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

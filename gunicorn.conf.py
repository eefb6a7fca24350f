"""Configure gunicorn from the settings; `gunicorn` run in this folder finds this file by itself.

The master loads nothing of the application but the class of its workers, not even to read the settings: a worker can
then patch itself before all else, and after a HUP it runs the new code.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from time import monotonic
from types import FrameType
from typing import Any

from gunicorn import util
from gunicorn.arbiter import Arbiter
from gunicorn.http import wsgi
from gunicorn.http.errors import ParseException
from gunicorn.workers.base import Worker

WORKERS_BY_MODE = {
    "threading": "gthread",
    "gevent": "application.libs.gevent_worker.GeventWorker",
    "eventlet": "application.libs.eventlet_worker.EventletWorker",
}

READ = (
    "import gc, os; gc.disable(); from application.config.setting import settings_or_exit; "
    "from application.config.server import server_settings; "
    "print(server_settings(settings_or_exit()), flush=True); "
    "os._exit(0)"  # without tidying up what was imported, for a tenth of a second
)


def read_settings() -> dict[str, Any]:
    """Read the settings in a process of its own, unless `manager.py run` has just done so and become this one."""
    pid, _, known = os.environ.pop("REDPRINT_SERVER", "").partition(" ")
    if pid == str(os.getpid()):
        return dict(json.loads(known))
    return read_afresh(os.environ)


def read_afresh(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the settings of an environment, or end with their refusal, whose reason has then been said."""
    read = subprocess.run([sys.executable, "-c", READ], env=environment, stdout=subprocess.PIPE, check=False)
    if read.returncode:
        raise SystemExit(read.returncode)
    return dict(json.loads(read.stdout))


settings = read_settings()
threading = settings["async_mode"] == "threading"

wsgi_app = "application.libs.gunicorn_app:load_app('application.factory:create_app')"
host = settings["host"]
bind = f"[{host}]:{settings['port']}" if ":" in host else f"{host}:{settings['port']}"
workers = settings["workers"]
worker_class = WORKERS_BY_MODE[settings["async_mode"]]
threads = settings["threads"] if threading else 1
worker_connections = settings["worker_connections"]
graceful_timeout = settings["graceful_timeout_seconds"]
keepalive = 2  # seconds an idle connection may hold a stop up
timeout = 30  # seconds without a sign of life after which a worker is killed
limit_request_line = 8190  # the most there is; `libs/listing.py` leaves room for cursors in it
limit_request_fields = 100
limit_request_field_size = 8190
forwarder_headers = ""  # of those and the next no header is believed, whoever sends it: PROXY_HOPS says which are
secure_scheme_headers: dict[str, str] = {}
forwarded_allow_ips = "*"  # so no peer's address is read, a fifteenth of a request; HTTP/2, which is off, would need it
control_socket_disable = True  # one in the home folder would be shared by every server of this user
http_parser = "python"  # the limits above are its own; the C parser would come in with an extra
sendfile = settings["async_mode"] != "eventlet"  # its sockets cannot
proc_name = "redprint"


def on_starting(server: Arbiter) -> None:
    """Take a number of workers that was given past the settings, by `-w` or GUNICORN_CMD_ARGS, for one of theirs."""
    if server.cfg.workers != settings["workers"]:
        os.environ["WORKERS"] = str(server.cfg.workers)  # the workers are to know, too
        read_afresh(os.environ)


def post_fork(_server: Arbiter, _worker: Worker) -> None:
    """Look for no garbage while the application is loaded: hardly any is made."""
    gc.disable()


def post_worker_init(worker: Worker) -> None:
    """Start what lives beside the requests; what was loaded stays, so it is never looked through for garbage."""
    gc.freeze()
    gc.enable()
    worker.wsgi.extensions["edge"].body_errors += (ParseException,)
    util.write_error = import_module("application.libs.server_refusal").write_refusal  # every worker class calls it
    util.http_date = import_module("application.libs.server_date").ServerDate(util.http_date)  # and this
    wsgi.WSGIErrorsWrapper = import_module("application.libs.server_errors").opened_late(wsgi.WSGIErrorsWrapper)

    def stopping() -> bool:
        return not worker.alive or os.getppid() != worker.ppid

    import_module("application.runtime").start(worker.wsgi, stopping=stopping)


def worker_int(_worker: Worker) -> None:
    """Take the first Ctrl-C as the only one: it reaches a worker twice, from the terminal and from the master."""
    patient_until = monotonic() + 1

    def hurry(_number: int, _frame: FrameType | None) -> None:
        if monotonic() > patient_until:
            os._exit(0)  # the runner dies with this process

    def once(_number: int, _frame: FrameType | None) -> None:
        """Do nothing; SIG_IGN would make Python complain of a signal that has come already."""

    signal.signal(signal.SIGQUIT, once)
    signal.signal(signal.SIGINT, hurry)


def worker_exit(_server: Arbiter, worker: Worker) -> None:
    """Stop what lives beside the requests, if they ever began."""
    worker_int(worker)
    stopped = not hasattr(worker, "wsgi")
    while not stopped:
        with suppress(SystemExit):  # of the second signal, where a green worker was already about to obey it
            import_module("application.runtime").stop(worker.wsgi)
            stopped = True

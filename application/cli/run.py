"""Run Redprint: the server, the development server, the runner."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import click
from flask import Flask
from werkzeug.serving import is_running_from_reloader, run_simple

from application import runtime
from application.cli import failing
from application.cli.dashboard import OUTPUT, SOURCES, TOKENS, build, find_node
from application.cli.failing import Answer, Wsgi
from application.cli.start import prepare
from application.config import server
from application.config.setting import ROOT, AsyncMode, Environment, Settings, settings_or_exit
from application.factory import create_app
from application.libs.host import is_loopback
from application.libs.supervisor import die_with


class CannotListen(click.ClickException):
    """The address cannot be listened on."""


@click.command("run")
def run() -> None:
    """Prepare the database and the dashboard, then serve with gunicorn.

    A first start creates the tables, an administrator and, in development, a small sample; later ones go straight to
    serving. HOST and PORT say where; .env.example lists every setting.
    """
    settings = settings_or_exit()
    check_free(settings.host, settings.port)
    prepare(settings)
    sys.stdout.flush()
    os.chdir(ROOT)
    environment = os.environ | {server.VARIABLE: f"{os.getpid()} {server.server_settings(settings)}"}
    os.execve(sys.executable, [sys.executable, "-m", "gunicorn"], environment)  # signals reach gunicorn itself


@click.command("runserver")
@click.option("--host", help="Address to listen on, instead of HOST.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on, instead of PORT.")
@click.option("--reload/--no-reload", default=True, help="Start again when a file changes (default), or do not.")
@click.option("--debugger/--no-debugger", default=True, help="Show the debugger on errors (default), or do not.")
@click.option("--dashboard", is_flag=True, help="Start Vite's server too, which shows changes of dashboard/ at once.")
def runserver(host: str | None, port: int | None, reload: bool, debugger: bool, dashboard: bool) -> None:
    """Serve for development: reload on change, debugger, jobs in the same process.

    Prepares database and dashboard as `run` does. In production it refuses to start; use `run` or gunicorn there.
    """
    given = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
    settings = settings_or_exit(async_mode=AsyncMode.THREADING, flask_debug=debugger, **given)
    if settings.environment is Environment.PRODUCTION:
        raise click.UsageError("runserver is for development: use `run`, or gunicorn, in production")
    if settings.debug and not is_loopback(settings.host):
        raise click.UsageError(f"The debugger opens a shell to whoever reaches {settings.host}: add --no-debugger")
    first = not is_running_from_reloader()
    if first:
        check_free(settings.host, settings.port)
        prepare(settings, builds=not dashboard)
    serves = not reload or not first
    with vite(settings.port) if dashboard and first else nullcontext():
        application = _application(settings) if serves else _nothing
        try:
            run_simple(
                settings.host,
                settings.port,
                application,
                use_reloader=reload,
                use_debugger=settings.debug,
                threaded=True,
            )
        finally:
            if isinstance(application, Flask):
                runtime.stop(application)


@contextmanager
def vite(port: int) -> Iterator[None]:
    """Run Vite's development server meanwhile; what it does not serve itself it asks of our port."""
    node = find_node()
    script = SOURCES / "node_modules" / "vite" / "bin" / "vite.js"
    if not script.is_file():
        build(SOURCES, OUTPUT, also=(TOKENS,), force=True)  # which installs it
    environment = {**os.environ, "PATH": node.path, "PORT": str(port)}
    with subprocess.Popen([node.node, script], cwd=SOURCES, env=environment) as process:
        try:
            yield
        finally:
            process.terminate()


@click.command("runner")
@click.option("--parent", type=int, hidden=True, help="Stop with this process, or at the end of the standard input.")
def runner(parent: int | None) -> None:
    """Fire jobs and do tasks, without serving anybody; the server starts one by itself unless RUNNER=none.

    Start it by hand, or as a service of its own, on a host whose web processes have RUNNER=none. SIGTERM and Ctrl-C let
    running jobs finish first.
    """
    if parent is not None and not die_with(parent):
        return
    settings = settings_or_exit(async_mode=AsyncMode.THREADING)
    lock = runtime.runner_lock(settings)
    if parent is None and not lock.take():
        raise click.ClickException("A runner for this database is at work on this host; stop it first")
    if parent is not None:  # be done before the server's patience ends, which is a second shorter than its own
        seconds = max(1, settings.graceful_timeout_seconds - 2)
        settings = settings.model_copy(update={"graceful_timeout_seconds": seconds})
    reason, all_ended = runtime.run_runner(create_app(settings), parent=parent)
    if parent is None:
        click.echo(f"The runner has stopped: {reason}.")
    if not all_ended:
        sys.stdout.flush()
        os._exit(0)  # Python would wait for the threads of the jobs that did not end


def check_free(host: str, port: int) -> None:
    """Raise CannotListen, with the cure, where nobody could listen there."""
    try:
        family, kind, _protocol, _name, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as error:
        raise CannotListen(_why(host, port, error)) from None


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is in use: stop what listens there, or choose another: PORT={port + 1} make run"
    if error.errno == errno.EACCES:
        return f"Port {port} may not be opened by this user: choose one above 1023 with PORT=…"
    return f"{host}:{port} cannot be listened on ({error.strerror}): set HOST to an address of this machine"


def _application(settings: Settings) -> Wsgi:
    """Build the application; behind the reloader a mistake waits for its correction instead of ending the server."""
    try:
        app = create_app(settings)
    except Exception as error:
        if not is_running_from_reloader():
            raise
        failing.tell(error)
        return failing.stand_in(error, tells=is_loopback(settings.host))
    runtime.start(app)
    return app


def _nothing(_environ: object, _start_response: object) -> Answer:
    """Stand in for the application in the reloader's parent, which serves nobody."""
    return ()

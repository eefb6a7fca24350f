"""Hold the unbound extensions; `create_app()` binds them."""

from flask_babel import Babel
from flask_socketio import SocketIO

from application.libs.scheduling import Scheduler, TickScheduler

babel = Babel()
scheduler = Scheduler(scheduler=TickScheduler(timezone="UTC"))  # named, or APScheduler reads the machine's
socketio = SocketIO()

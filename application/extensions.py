"""Hold the unbound extensions; `create_app()` binds them."""

from flask_babel import Babel
from flask_socketio import SocketIO

from application.libs.bell import Bells
from application.libs.compression import Compression
from application.libs.scheduling import Scheduler, TickScheduler
from application.libs.storage.binding import BoundStorage
from application.libs.webhook import Webhooks

babel = Babel()
bell = Bells()
compression = Compression()
scheduler = Scheduler(scheduler=TickScheduler(timezone="UTC"))  # named, or APScheduler reads the machine's
socketio = SocketIO()
storage = BoundStorage()
webhooks = Webhooks()

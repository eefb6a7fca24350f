"""Hold the unbound extensions; `create_app()` binds them."""

from flask_babel import Babel
from flask_socketio import SocketIO

babel = Babel()
socketio = SocketIO()

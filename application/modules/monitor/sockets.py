"""Live memory over Socket.IO, namespace `/ws`."""

from flask import request
from flask_socketio import ConnectionRefusedError as Refused
from flask_socketio import Namespace, emit

from application.config.current import current_settings
from application.database import transaction
from application.extensions import socketio
from application.libs.sampler import Sampler
from application.modules.auth.business import find_by_token
from application.modules.monitor.business import read_memory
from application.permissions import Permission

INTERVAL_SECONDS = 2.0


class MonitorNamespace(Namespace):
    """Greet a viewer with `connected`, then send `server_response` at once and every two seconds."""

    def __init__(self, namespace: str) -> None:
        """Prepare the sampler all viewers share."""
        super().__init__(namespace)
        self.sampler = Sampler(
            socketio, read_memory, event="server_response", namespace=namespace, interval_seconds=INTERVAL_SECONDS
        )

    def on_connect(self, auth: object = None) -> None:
        """Let a viewer in who shows a token in the `auth` payload; without one only where the settings open it."""
        _check_room(self.sampler.viewers)
        _check_token(auth)
        emit("connected", {"data": "连接成功"})
        self.sampler.join(_sid())

    def on_disconnect(self, _reason: object = None) -> None:
        """Forget a viewer."""
        self.sampler.leave(_sid())


def _sid() -> str:
    sid: str = request.sid  # type: ignore[attr-defined]  # Flask-SocketIO adds it to the request
    return sid


def _check_room(viewers: int) -> None:
    if viewers >= current_settings().socket_limit - 1:  # one stays free, for whoever is told so
        raise Refused("Too many viewers for this server; try again later", {"code": "unavailable"})


def _check_token(auth: object) -> None:
    token = auth.get("token") if isinstance(auth, dict) else None
    if token is None and current_settings().ws_is_open:
        return
    if not isinstance(token, str):
        raise Refused("Give a token: connect with auth={'token': …}")
    with transaction(write=False):
        identity = find_by_token(token)
    if identity is None:
        raise Refused("The token is not valid, or no longer")
    if not identity.may(Permission.MONITOR_VIEW):
        raise Refused(f"This needs the permission {Permission.MONITOR_VIEW}")

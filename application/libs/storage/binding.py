"""Find the store of the application that is running."""

from flask import Flask, current_app

from application.libs.storage.store import Storage


class BoundStorage:
    """Give each application the store it was handed: `storage.current.read(key)`."""

    def init_app(self, app: Flask, storage: Storage) -> None:
        """Hand over the store."""
        app.extensions["storage"] = storage

    @property
    def current(self) -> Storage:
        """Return the store of the application whose context this is."""
        found: Storage = current_app.extensions["storage"]
        return found

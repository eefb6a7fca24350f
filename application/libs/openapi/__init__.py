"""Write the API document (OpenAPI 3.1) of one or several surfaces from their redprints, and serve it."""

from application.libs.openapi.document import document, serve

__all__ = ["document", "serve"]

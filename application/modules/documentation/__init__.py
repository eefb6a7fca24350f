"""Show the API document to people: Swagger UI, served from here."""

"""Name a file in an answer, and let no browser show it in our place (RFC 6266)."""

from urllib.parse import quote


def attachment(name: str) -> str:
    """Return the Content-Disposition of a file that is to be saved under this name, whatever letters it has."""
    plain = "".join(letter if letter.isascii() and letter.isprintable() else "_" for letter in name)
    plain = plain.replace("\\", "_").replace('"', "_")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"

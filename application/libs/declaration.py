"""Name the mistakes a developer can make when declaring a handler."""


class DeclarationError(TypeError):
    """A handler is declared in a way that cannot work; the message says the cure."""


def mistake(where: str, what: str, cure: str) -> DeclarationError:
    """Return the error for a handler: where it is, what is wrong, what to do."""
    return DeclarationError(f"{where}: {what}. {cure}")

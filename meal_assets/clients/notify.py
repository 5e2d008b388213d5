"""Messages to people, by whatever apprise knows an address for: mail (mailto://), Signal, Matrix, a hundred others."""

from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from meal_assets.errors import Permanent, RemoteFailed

from .remote import Shared

INTERRUPTED, DONE = "sending", "sent"


def scheme(address: SecretStr) -> str:
    """The kind of address, which is no secret."""
    return address.get_secret_value().partition(":")[0][:64]


def send(address: SecretStr, title: str, text: str, picture: str | None = None) -> None:
    """With a picture (SVG) where the address takes attachments.

    Raises `RemoteFailed` where it was not taken, `Permanent` for an address that is none.
    """
    from apprise import Apprise  # a second of imports, for the few processes that send

    sender = Apprise()
    if not sender.add(address.get_secret_value()):
        raise Permanent(
            f"the {scheme(address)} address in MEALS_NOTIFY_URLS is not understood: see https://github.com/caronc/apprise"
        )
    with TemporaryDirectory() as folder:
        attached = None
        if picture is not None:
            attached = str(Path(folder, "picture.svg"))
            Path(attached).write_text(picture, encoding="utf-8")
        taken = sender.notify(title=title, body=text, body_format="text", attach=attached)
    if not taken:
        raise RemoteFailed(f"the message was not taken: does the {scheme(address)} address in MEALS_NOTIFY_URLS work?")


class Deliveries:
    """Which messages are on their way or out, so that a crash sends none twice.

    Nobody can tell whether one got out that was interrupted: such a one is not sent again.
    """

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def state(self, message: str) -> str | None:
        """`INTERRUPTED`, `DONE`, or None for one that nobody began to send."""
        with self._shared.transaction() as db:
            row = db.execute("SELECT state FROM log.deliveries WHERE message = %s", (message,)).fetchone()
        return None if row is None else str(row[0])

    def send_once(self, message: str, address: SecretStr, title: str, text: str, picture: str | None = None) -> None:
        """Send it, unless somebody began to; one that was refused may be sent again. Raises what `send` raises."""
        with self._shared.transaction() as db:
            begin = "INSERT INTO log.deliveries (message) VALUES (%s) ON CONFLICT DO NOTHING RETURNING true"
            if db.execute(begin, (message,)).fetchone() is None:
                return
        try:
            send(address, title, text, picture)
        except Exception:
            with self._shared.transaction() as db:
                db.execute("DELETE FROM log.deliveries WHERE message = %s", (message,))
            raise
        with self._shared.transaction() as db:
            db.execute("UPDATE log.deliveries SET state = 'sent', at = now() WHERE message = %s", (message,))

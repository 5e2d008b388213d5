"""`meals metrics`: where everybody stands, for a monitoring system."""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from meal_assets.event_store import EventStore

PATH = "/metrics"


def add_to(app: typer.Typer) -> None:
    app.command()(metrics)


def metrics(
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Answer on this port until Ctrl-C.")] = None,
    host: Annotated[str, typer.Option(help="With --port: the address to answer at.")] = "127.0.0.1",
) -> None:
    """Print lag, pauses and dead letters of every subscriber as Prometheus reads them, or answer its questions."""
    from meal_assets.errors import Invalid
    from meal_assets.subscriptions.metrics import metrics as told

    from .interrupts import Interrupt
    from .session import console, session

    class Server(ThreadingHTTPServer):
        def service_actions(self) -> None:
            interrupt.check()

    with session() as s:
        if port is None:
            typer.echo(told(s.store), nl=False)
            return
        try:
            server = Server((host, port), _answering(s.store))
        except OSError as error:
            raise Invalid("--port", f"{host}:{port} cannot be had ({error.strerror}): name another one") from None
        interrupt = Interrupt()
        console.print(f"http://{host}:{port}{PATH} answers until Ctrl-C.", highlight=False, soft_wrap=True)
        with server:
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return


def _answering(store: "EventStore") -> type[BaseHTTPRequestHandler]:
    from meal_assets.subscriptions.metrics import CONTENT_TYPE
    from meal_assets.subscriptions.metrics import metrics as told

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != PATH:
                self.send_error(404, f"only {PATH} is here")
                return
            try:
                body = told(store).encode()
            except Exception as error:
                self.send_error(503, f"the database does not answer ({type(error).__name__})")
                return
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # the name it has there
            """Nobody reads each question."""

    return Answering

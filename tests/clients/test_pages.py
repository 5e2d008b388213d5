"""Pages fetched on somebody's word: from public addresses only, and never more than was allowed."""

import datetime
import gzip
import socket
import ssl
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from meal_assets.clients import pages
from meal_assets.clients.pages import MAX_BYTES, MAX_REDIRECTS, Pages
from meal_assets.clients.public import is_public
from meal_assets.errors import Invalid, MealAssetsError, RemoteFailed, RemoteRefused
from tests.clients.remote_server import Answer, Server, breaks_off, hangs_up, is_silent, says, serving

HTML = {"Content-Type": "text/html; charset=utf-8"}
PAGE = says(200, "<h1>Crème</h1>".encode(), HTML)


def port_of(server: Server) -> int:
    port = urlsplit(server.url).port
    assert port is not None
    return port


def permitted(server: Server, **more: object) -> Pages:
    """Pages may come from this one server, whatever it is called."""
    return Pages(permit=[("127.0.0.1", port_of(server))], resolve=here, **more)  # type: ignore[arg-type]


def here(host: str, port: int) -> list[str]:
    """Every name is this machine's; an address stays what it is."""
    try:
        return [str(ip_address(host))]
    except ValueError:
        return ["127.0.0.1"]


def moves_to(where: str, status: int = 302) -> Answer:
    return says(status, b"", {"Location": where})


def refusal(get: Pages, url: str, kind: type[MealAssetsError] = Invalid) -> str:
    with pytest.raises(kind) as caught:
        get.get(url)
    return str(caught.value)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "0.1.2.3",
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.9",
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::10.0.0.1",
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "::ffff:0:127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::a00:1",
        "64:ff9b:1::808:808",
        "100::1",
        "100:0:0:1::1",
        "2001::1",
        "2001:0:808:808::1",
        "2001:2::1",
        "2001:20::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "ff05::2",
        "2606:4700::1111%eth0",
    ],
)
def test_what_is_not_of_the_open_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450::5", "::ffff:8.8.8.8"],
)
def test_what_is_of_it_is(address: str) -> None:
    assert is_public(ip_address(address))


def test_an_ipv4_address_behind_a_translator_is_as_public_as_itself() -> None:
    assert is_public(ip_address("64:ff9b::8.8.8.8"))


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "localhost",
        "0",
    ],
)
def test_however_this_machine_is_written_nothing_reaches_it(host: str) -> None:
    with serving(PAGE) as server:
        text = refusal(Pages(), f"http://{host}:{port_of(server)}/")
        assert "not public" in text
        assert "import the file" in text
        assert server.asked == []


def test_one_private_address_among_public_ones_is_refused_before_any_is_called() -> None:
    with serving(PAGE) as server:
        mixed = Pages(resolve=lambda host, port: ["8.8.8.8", "127.0.0.1"])
        assert "127.0.0.1" in refusal(mixed, f"http://kitchen.example:{port_of(server)}/")
        assert server.asked == []


def test_a_permission_is_for_one_port_of_one_address() -> None:
    with serving(PAGE) as allowed, serving(PAGE) as other:
        get = permitted(allowed)
        assert get.get(f"{allowed.url}/soup").content == "<h1>Crème</h1>".encode()
        assert "not public" in refusal(get, f"{other.url}/soup")
        assert "not public" in refusal(get, f"http://127.0.0.2:{port_of(allowed)}/soup")
        assert other.asked == []


def test_the_name_is_looked_up_once_and_the_connection_goes_where_it_was_then() -> None:
    hosts: list[str] = []

    def names_itself(handler: BaseHTTPRequestHandler) -> None:
        hosts.append(handler.headers["Host"])
        PAGE(handler)

    with serving(names_itself) as server:
        answers = iter([["127.0.0.1"]])  # a second question is a StopIteration
        get = Pages(permit=[("127.0.0.1", port_of(server))], resolve=lambda host, port: next(answers))
        url = f"http://kitchen.example:{port_of(server)}/soup?a=1#end"
        page = get.get(url)
        assert (page.url, page.content_type) == (url.removesuffix("#end"), HTML["Content-Type"])
        assert hosts == [f"kitchen.example:{port_of(server)}"]
        assert server.asked == [("GET", "/soup?a=1")]


def test_the_next_address_of_a_name_is_tried_where_one_does_not_answer() -> None:
    with serving(PAGE) as server:
        both = ["127.0.0.2", "127.0.0.1"]  # nobody listens at the first
        get = Pages(permit=[(one, port_of(server)) for one in both], resolve=lambda host, port: both)
        assert get.get(f"http://two.example:{port_of(server)}/").content
    assert "ConnectError" in refusal(get, f"http://two.example:{port_of(server)}/", RemoteFailed)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_and_the_last_address_is_kept(status: int) -> None:
    with serving(moves_to("/soup?page=2", status), PAGE) as server:
        page = permitted(server).get(f"{server.url}/old")
        assert page.url == f"{server.url}/soup?page=2"
        assert server.asked == [("GET", "/old"), ("GET", "/soup?page=2")]


@pytest.mark.parametrize(
    ("where", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254"),
        ("http://[::ffff:10.0.0.1]/", "not public"),
        ("file:///etc/passwd", "file://"),
        ("gopher://127.0.0.1:11211/_stats", "gopher://"),
        ("http://me:hush@8.8.8.8/", "name or a password"),
        ("http://[::1", "no address"),
    ],
)
def test_each_redirect_is_checked_like_the_first_address(where: str, why: str) -> None:
    with serving(moves_to(where)) as server:
        text = refusal(permitted(server), server.url)
        assert why in text
        assert "hush" not in text


def test_a_redirect_to_a_name_that_lies_inside_is_refused() -> None:
    with serving(moves_to("http://inside.example/")) as server:
        inside = {"inside.example": ["192.168.1.1"]}
        get = Pages(permit=[("127.0.0.1", port_of(server))], resolve=lambda host, port: inside.get(host, ["127.0.0.1"]))
        assert "192.168.1.1" in refusal(get, server.url)


def test_redirects_end_somewhere() -> None:
    with serving(moves_to("/again")) as server:
        assert f"more than {MAX_REDIRECTS} times" in refusal(permitted(server), server.url)
        assert len(server.asked) == MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("file:///etc/passwd", "file://"),
        ("ftp://example.org/soup", "ftp://"),
        ("javascript:alert(1)", "javascript"),
        ("soup", "http://"),
        ("http://", "http://"),
        ("http://0177.0.0.1/", "not the address of a page"),
        ("http://[::1", "not the address of a page"),
        ("https://ada:hush@example.org/soup", "name or a password"),
        ("https://:hush@example.org/soup", "name or a password"),
        ("https://hush@example.org/soup", "name or a password"),
        ("http://exa mple.org/hush\x00", "not the address of a page"),
    ],
)
def test_only_plain_web_addresses_are_taken(url: str, why: str) -> None:
    text = refusal(Pages(), url)
    assert why in text
    assert "hush" not in text


def test_a_page_that_is_too_long_is_not_read_to_its_end() -> None:
    sent = threading.Event()

    def goes_on(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.end_headers()
        try:
            for _ in range(16 * MAX_BYTES // 65536):
                handler.wfile.write(b"x" * 65536)
        except OSError:
            sent.set()
        handler.close_connection = True

    with serving(goes_on) as server:
        assert "holds more than" in refusal(permitted(server), server.url)
        assert sent.wait(10)


@pytest.mark.parametrize("layers", [1, 2])
def test_a_page_that_unpacks_to_too_much_is_not_unpacked(layers: int) -> None:
    bomb = zlib.compressobj(9, wbits=31)
    packed = b"".join(bomb.compress(b"\0" * 1_000_000) for _ in range(500)) + bomb.flush()
    coding = "gzip"
    if layers == 2:
        packed, coding = gzip.compress(packed), "gzip, gzip"
    with serving(says(200, packed, {**HTML, "Content-Encoding": coding})) as server:
        text = refusal(permitted(server), server.url)
        assert ("holds more than" if layers == 1 else "was not asked for") in text


def test_a_packed_page_is_unpacked() -> None:
    with serving(says(200, gzip.compress(b"<p>soup</p>"), {**HTML, "Content-Encoding": "gzip"})) as server:
        assert permitted(server).get(server.url).content == b"<p>soup</p>"


@pytest.mark.parametrize(
    ("packed", "why"),
    [(gzip.compress(b"x" * 99)[:-9], "broke off"), (b"no gzip", "cannot be unpacked")],
    ids=["half", "none"],
)
def test_a_page_packed_badly_is_trouble_of_the_server(packed: bytes, why: str) -> None:
    with serving(says(200, packed, {**HTML, "Content-Encoding": "gzip"})) as server:
        assert why in refusal(permitted(server), server.url, RemoteFailed)


@pytest.mark.parametrize("kind", ["application/ld+json", "application/json;charset=utf-8", "application/xhtml+xml"])
def test_pages_and_json_are_read(kind: str) -> None:
    with serving(says(200, b"{}", {"Content-Type": kind})) as server:
        assert permitted(server).get(server.url).content_type == kind


@pytest.mark.parametrize("kind", ["application/pdf", "image/svg+xml", "text/plain", ""])
def test_other_things_are_not(kind: str) -> None:
    with serving(says(200, b"hello", {"Content-Type": kind})) as server:
        assert "only HTML pages" in refusal(permitted(server), server.url)


@pytest.mark.parametrize(
    ("answer", "kind", "why"),
    [
        (says(404, b""), RemoteRefused, "HTTP 404"),
        (says(403, b""), RemoteRefused, "Save the page"),
        (says(204, b""), RemoteRefused, "HTTP 204"),
        (says(304, b""), RemoteRefused, "HTTP 304"),
        (says(500, b""), RemoteFailed, "HTTP 500"),
        (says(429, b""), RemoteFailed, "HTTP 429"),
        (hangs_up, RemoteFailed, "disconnected"),
        (breaks_off, Invalid, "of no known type"),
    ],
    ids=["404", "403", "204", "304", "500", "429", "hangs up", "no type"],
)
def test_a_server_that_says_no_and_one_in_trouble_are_told_apart(
    answer: Answer, kind: type[MealAssetsError], why: str
) -> None:
    with serving(answer) as server:
        text = refusal(permitted(server), f"{server.url}/soup?key=hush", kind)
        assert why in text
        assert "hush" not in text


def test_a_silent_server_is_left_when_the_time_is_up() -> None:
    with serving(is_silent) as server:
        assert "not through after 0.2 s" in refusal(permitted(server, seconds=0.2), server.url, RemoteFailed)


@pytest.mark.parametrize("where", ["head", "body"])
def test_a_server_that_trickles_is_left_when_the_time_is_up(where: str) -> None:
    ended = threading.Event()

    def trickles(handler: BaseHTTPRequestHandler) -> None:
        start = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n" + (b"X: " if where == "head" else b"\r\n")
        handler.wfile.write(start)
        try:
            while not ended.wait(0.02):
                handler.wfile.write(b"x")
        except OSError:
            ended.set()
        handler.close_connection = True

    with serving(trickles) as server:
        assert "not through after 0.3 s" in refusal(permitted(server, seconds=0.3), server.url, RemoteFailed)
        assert ended.wait(10)


def test_a_name_server_that_says_nothing_is_left_when_the_time_is_up() -> None:
    never = threading.Event()
    asleep = Pages(seconds=0.1, resolve=lambda host, port: [str(never.wait(30))])
    assert "resolved in time" in refusal(asleep, "http://kitchen.example/", RemoteFailed)
    never.set()


@pytest.mark.parametrize(
    ("error", "kind", "why"),
    [
        (socket.gaierror(socket.EAI_NONAME, "not known"), Invalid, "there is no kitchen.example"),
        (socket.gaierror(socket.EAI_AGAIN, "try again"), RemoteFailed, "could not be resolved"),
        (UnicodeError("label too long"), Invalid, "there is no kitchen.example"),
    ],
    ids=["nobody", "later", "no name"],
)
def test_a_name_that_nobody_has_and_one_that_nobody_knows_now(
    error: Exception, kind: type[MealAssetsError], why: str
) -> None:
    def fails(host: str, port: int) -> list[str]:
        raise error

    assert why in refusal(Pages(resolve=fails), "http://kitchen.example/", kind)


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    """A file with a key and a certificate of kitchen.example, and a context that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kitchen.example")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("kitchen.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = tmp_path / "kitchen.pem"
    pem.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return pem, ssl.create_default_context(cafile=pem)


@pytest.fixture
def secure(certificate: tuple[Path, ssl.SSLContext]) -> Iterator[tuple[int, list[str | None]]]:
    """A port where kitchen.example's certificate is shown, and the names that were asked for."""
    asked: list[str | None] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[0])
    context.sni_callback = lambda _, name, __: asked.append(name)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    plain, _ = listening.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(plain, server_side=True) as connection:
                        connection.recv(65536)
                        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi")
                except OSError:
                    continue

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], asked
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_tls_is_checked_against_the_name_although_the_connection_goes_to_the_address(
    certificate: tuple[Path, ssl.SSLContext], secure: tuple[int, list[str | None]]
) -> None:
    port, asked = secure
    get = Pages(permit=[("127.0.0.1", port)], resolve=here, verify=certificate[1])
    assert get.get(f"https://kitchen.example:{port}/").content == b"hi"
    assert asked == ["kitchen.example"]
    assert "cannot prove that it is other.example" in refusal(get, f"https://other.example:{port}/")
    assert "cannot prove" in refusal(
        Pages(permit=[("127.0.0.1", port)], resolve=here), f"https://kitchen.example:{port}/"
    )


def test_no_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(PAGE) as server, serving(PAGE) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert permitted(server).get(server.url).content
        assert proxy.asked == []


def test_the_limits_are_those_that_are_documented() -> None:
    assert (pages.MAX_REDIRECTS, pages.MAX_BYTES, pages.ALL_SECONDS) == (5, 8 * 1024 * 1024, 30.0)

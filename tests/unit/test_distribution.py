"""The registry client against small servers of the test's own: pages, tokens, and what it must not do."""

from __future__ import annotations

import base64
import json
import shutil
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from backends.base import ActionError
from backends.distribution import Distribution, NeedsLogin
from backends.logins import Login
from backends.trust import Trust, is_insecure

INSECURE = Trust(insecure=True)
Answer = tuple[int, dict[str, str], object]


class Server:
    """Answers by a function of (path with query, headers); keeps what was asked."""

    def __init__(self, answer: Callable[[str, dict[str, str]], Answer], context: ssl.SSLContext | None = None) -> None:
        asked: list[tuple[str, dict[str, str]]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                asked.append((self.path, headers))
                status, more, data = answer(self.path, headers)
                body = json.dumps(data).encode()
                self.send_response(status)
                for name, value in {**more, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                self.path += "?" + self.rfile.read(length).decode()
                self.do_GET()

            def log_message(self, *_: object) -> None:
                pass

        self.asked = asked
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if context is not None:
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.host = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def serve() -> Iterator[Callable[..., Server]]:
    servers: list[Server] = []

    def start(answer: Callable[[str, dict[str, str]], Answer], context: ssl.SSLContext | None = None) -> Server:
        servers.append(Server(answer, context))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def test_pages_are_followed_to_the_last(serve):
    def answer(path: str, _: dict[str, str]) -> Answer:
        if path == "/v2/":
            return 200, {}, {}
        page = int(parse_qs(urlsplit(path).query).get("page", ["0"])[0])
        link = {"Link": f'</v2/_catalog?page={page + 1}>; rel="next"'} if page < 2 else {}
        return 200, link, {"repositories": [f"team/app-{page}", "team/\x1b[31mred"]}

    server = serve(answer)
    found = Distribution(server.host, None, INSECURE).repositories()
    assert found.names == ("team/app-0", "team/red", "team/app-1", "team/app-2")


@pytest.mark.parametrize("link", ["<https://evil.example.com/v2/_catalog>", "<//evil.example.com/v2/x>"])
def test_no_page_is_fetched_from_another_host(serve, link):
    server = serve(lambda path, _: (200, {"Link": f'{link}; rel="next"'}, {"repositories": [path]}))
    with pytest.raises(ActionError, match="elsewhere"):
        Distribution(server.host, None, INSECURE).repositories()


def test_an_endless_list_ends(serve):
    def answer(path: str, _: dict[str, str]) -> Answer:
        return 200, {"Link": '</v2/_catalog?again>; rel="next"'}, {"repositories": ["same"]}

    server = serve(answer)
    assert Distribution(server.host, None, INSECURE).repositories().names == ("same",)
    assert len(server.asked) < 5


def protected(server_of: list[Server]) -> Callable[[str, dict[str, str]], Answer]:
    """A registry that wants a bearer token from its own /token, for Ada only."""

    def answer(path: str, headers: dict[str, str]) -> Answer:
        if path.startswith("/token"):
            asked = parse_qs(urlsplit(path).query)
            known = headers.get("authorization") == "Basic " + base64.b64encode(b"ada:secret").decode()
            if not known and asked.get("refresh_token") != ["refresh"]:
                return 401, {}, {}
            return 200, {}, {"token": "|".join((*asked["service"], *asked["scope"]))}
        if headers.get("authorization") == "Bearer here|registry:catalog:*":
            return 200, {}, {"repositories": ["secret/app"]}
        realm = f"http://{server_of[0].host}/token"
        return 401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="here",scope="registry:catalog:*"'}, {}

    return answer


@pytest.mark.parametrize("login", [Login("x", "ada", "secret"), Login("x", token="refresh")])
def test_a_token_is_fetched_where_the_registry_says(serve, login):
    servers: list[Server] = []
    servers.append(serve(protected(servers)))
    assert Distribution(servers[0].host, login, INSECURE).repositories().names == ("secret/app",)
    to_registry = [headers.get("authorization", "") for path, headers in servers[0].asked if path.startswith("/v2")]
    assert not any(value.startswith("Basic") for value in to_registry)


@pytest.mark.parametrize("login", [None, Login("x", "ada", "wrong")])
def test_without_the_right_login_it_says_so(serve, login):
    servers: list[Server] = []
    servers.append(serve(protected(servers)))
    with pytest.raises(NeedsLogin):
        Distribution(servers[0].host, login, INSECURE).repositories()


def test_a_login_is_not_sent_without_tls_to_another_host(serve):
    other = serve(lambda path, headers: (200, {}, {"token": "x"}))
    port = other.host.partition(":")[2]

    def answer(path: str, headers: dict[str, str]) -> Answer:
        return 401, {"WWW-Authenticate": f'Bearer realm="http://localhost:{port}/token",service="s"'}, {}

    server = serve(answer)
    with pytest.raises(ActionError, match="without TLS"):
        Distribution(server.host, Login("x", "ada", "secret"), INSECURE).repositories()
    assert other.asked == []


def test_redirects_are_not_followed(serve):
    other = serve(lambda path, headers: (200, {}, {"repositories": ["stolen"]}))

    def answer(path: str, headers: dict[str, str]) -> Answer:
        if path == "/v2/":
            return 200, {}, {}
        return 307, {"Location": f"http://{other.host}{path}"}, {}

    server = serve(answer)
    with pytest.raises(ActionError, match="HTTP status 307"):
        Distribution(server.host, Login("x", "ada", "secret"), INSECURE).repositories()
    assert other.asked == []


@pytest.mark.parametrize(
    ("status", "data", "reason"),
    [
        (404, {}, "gives no list of its repositories"),
        (429, {}, "asked too often"),
        (500, {"errors": [{"code": "UNKNOWN", "message": "disk \x1b[31mfull"}]}, "UNKNOWN disk full"),
        (200, [], ""),
        (200, {"repositories": None}, ""),
    ],
)
def test_odd_answers(serve, status, data, reason):
    server = serve(lambda path, _: (200, {}, {}) if path == "/v2/" else (status, {}, data))
    registry = Distribution(server.host, None, INSECURE)
    if not reason:
        assert registry.repositories().names == ()
        return
    with pytest.raises(ActionError, match=reason):
        registry.repositories()


def test_what_is_no_registry_is_said_to_be_none(serve):
    server = serve(lambda path, _: (404, {}, {}))
    with pytest.raises(ActionError, match="is no image registry"):
        Distribution(server.host, None, INSECURE).repositories()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("openssl not found")
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=registry"),
            *(
                "-addext",
                "subjectAltName=IP:127.0.0.1",
                "-keyout",
                str(folder / "key.pem"),
                "-out",
                str(folder / "ca.crt"),
            ),
        ],
        check=True,
        capture_output=True,
    )
    return folder


def test_certificates_are_verified_unless_the_engine_does_without(serve, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "ca.crt", certificate / "key.pem")
    server = serve(lambda path, _: (200, {}, {"repositories": ["over/tls"]}), context)
    with pytest.raises(ActionError, match=r"certificate is not trusted.*certs\.d"):
        Distribution(server.host, None, Trust()).repositories()
    assert Distribution(server.host, None, Trust(folders=(certificate,))).repositories().names == ("over/tls",)
    assert Distribution(server.host, None, INSECURE).repositories().names == ("over/tls",)


def test_without_tls_only_where_the_engine_does_without(serve):
    server = serve(lambda path, _: (200, {}, {"repositories": ["plain"]}))
    with pytest.raises(ActionError, match="speaks no TLS"):
        Distribution(server.host, None, Trust()).repositories()
    assert Distribution(server.host, None, INSECURE).repositories().names == ("plain",)


def test_which_registries_are_insecure():
    assert is_insecure("127.0.0.1:5000", (), ())
    assert is_insecure("localhost:5000", (), ())
    assert is_insecure("[::1]:5000", (), ())
    assert is_insecure("10.1.2.3:5000", (), ("10.0.0.0/8",))
    assert is_insecure("registry.lan:5000", ("registry.lan:5000",), ())
    for host in ("registry.lan", "registry.lan:5001", "11.1.2.3:5000", "127.0.0.1.evil.example.com"):
        assert not is_insecure(host, ("registry.lan:5000",), ("10.0.0.0/8", "nonsense"))

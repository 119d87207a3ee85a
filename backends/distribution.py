"""A registry's own API: its repositories and their tags. Docker Registry HTTP API V2 (distribution spec 1.0).

Blocking. Certificates are verified by the system's CAs and those the engine keeps for the host; where the engine
treats a registry as insecure, so is it treated here: TLS unverified, else plain HTTP, as dockerd does.
"""

from __future__ import annotations

import json
import re
import ssl
import threading
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

from backends.abilities.images import Names
from backends.base import ActionError
from backends.logins import Login
from backends.text import clean
from backends.trust import Trust, is_loopback, tls_context

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

_CONNECT, _READ = 5.0, 20.0
_LARGEST = 8 << 20
_PAGE = 1000
MOST = 20_000
"""So many names of one list are asked for."""
_PARAMETER = re.compile(r'([a-z_]+)="([^"]*)"')
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_CLIENT = "boxtop"


class NeedsLogin(Exception):
    """The registry wants a login, or another one."""


class Distribution:
    """One registry. Used by one thread; `close` from any thread ends it at the next answer."""

    def __init__(self, host: str, login: Login | None, trust: Trust) -> None:
        self._host = host
        self._login = login
        self._trust = trust
        self._base = ""
        self._pools: dict[str, PoolManager] = {}
        self._authorization = ""
        self._closed = threading.Event()

    def repositories(self) -> Names:
        return self._list(f"/v2/_catalog?n={_PAGE}", "repositories", "repository:catalog")

    def tags(self, repository: str) -> Names:
        return self._list(f"/v2/{quote(repository, safe='/')}/tags/list?n={_PAGE}", "tags", repository)

    def close(self) -> None:
        self._closed.set()
        for pool in list(self._pools.values()):
            pool.clear()

    def _list(self, path: str, key: str, what: str) -> Names:
        self._find()
        names: dict[str, None] = {}
        address = self._base + path
        while True:
            answer = self._get(address, key, what)
            data = _json(answer)
            found = data.get(key)
            before = len(names)
            names |= {clean(str(name), 512): None for name in found or () if isinstance(name, str)}
            following = _NEXT.search(answer.headers.get("Link") or "")
            # a page that brings nothing new would be asked for for ever
            if following is None or len(names) == before:
                return Names(tuple(names))
            if len(names) >= MOST:
                return Names(tuple(names)[:MOST], cut=True)
            address = urljoin(address, following.group(1))
            if not address.startswith(f"{self._base}/"):
                raise ActionError(f"{self._host} sends boxtop elsewhere for its next page: {clean(address, 200)}")

    def _get(self, address: str, key: str, what: str) -> BaseHTTPResponse:
        for _ in range(2):
            answer = self._ask(address, self._authorization)
            if answer.status != 401:
                break
            self._authorization = self._answer(answer.headers.get("WWW-Authenticate") or "")
        if answer.status == 200:
            return answer
        if answer.status in {401, 403}:
            raise NeedsLogin(_told(answer))
        if answer.status in {404, 405} and key == "repositories":
            raise ActionError(f"{self._host} gives no list of its repositories: pull by name")
        if answer.status == 404:
            raise ActionError(f"{self._host} has no repository {what}")
        if answer.status == 429:
            raise ActionError(f"{self._host} is asked too often just now: try again later")
        raise ActionError(f"{self._host}: {_told(answer)}")

    def _find(self) -> None:
        """Which scheme it speaks."""
        if self._base:
            return
        schemes = ("https", "http") if self._trust.insecure else ("https",)
        failure: Exception | None = None
        for scheme in schemes:
            base = f"{scheme}://{self._host}"
            try:
                answer = self._ask(f"{base}/v2/", "")
            except ActionError:
                raise
            except Exception as error:
                failure = failure or error
                if scheme == "http":
                    failure = error
                continue
            if answer.status not in {200, 401, 403}:
                raise ActionError(f"{self._host} is no image registry: /v2/ gives HTTP status {answer.status}")
            self._base = base
            return
        assert failure is not None  # noqa: S101
        raise ActionError(_words(self._host, failure)) from failure

    def _ask(self, address: str, authorization: str, form: Mapping[str, str] | None = None) -> BaseHTTPResponse:
        if self._closed.is_set():
            raise ActionError("cancelled")
        headers = {"Accept": "application/json", "User-Agent": _CLIENT}
        if authorization:
            headers["Authorization"] = authorization
        from urllib3 import Timeout
        from urllib3.exceptions import HTTPError

        pool = self._pool_for(address)
        timeout = Timeout(connect=_CONNECT, read=_READ)
        try:
            # A redirect could lead the login elsewhere
            options: dict[str, Any] = {
                "retries": False,
                "redirect": False,
                "timeout": timeout,
                "preload_content": False,
            }
            if form is None:
                return pool.request("GET", address, headers=headers, **options)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return pool.request("POST", address, headers=headers, body=urlencode(form), **options)
        except (HTTPError, OSError) as error:
            if self._base:
                raise ActionError(_words(self._host, error)) from error
            raise

    def _pool_for(self, address: str) -> PoolManager:
        from urllib3 import PoolManager, ProxyManager, disable_warnings
        from urllib3.exceptions import InsecureRequestWarning

        # The screen is drawn where it would be printed
        disable_warnings(InsecureRequestWarning)
        parts = urlsplit(address)
        pool = self._pools.get(parts.netloc)
        if pool is None:
            # What is believed of the registry is not believed of the place its tokens come from
            trust = self._trust if parts.netloc == self._host else Trust()
            options: dict[str, Any] = {"maxsize": 1, "ssl_context": tls_context(trust)}
            host = parts.hostname or ""
            proxy = urllib.request.getproxies().get(parts.scheme)
            if proxy and not is_loopback(host) and not urllib.request.proxy_bypass(host):
                pool = ProxyManager(proxy if "://" in proxy else f"http://{proxy}", **options)
            else:
                pool = PoolManager(**options)
            self._pools[parts.netloc] = pool
        return pool

    def _answer(self, challenge: str) -> str:
        """The Authorization that meets a challenge. Raises NeedsLogin when there is none."""
        scheme = challenge.partition(" ")[0].lower()
        if scheme == "basic":
            if self._login is None or not self._login.username or self._authorization:
                raise NeedsLogin("it wants a login" if not self._authorization else "the login is refused")
            return _basic(self._login)
        if scheme == "bearer":
            return f"Bearer {self._token(dict(_PARAMETER.findall(challenge)))}"
        raise NeedsLogin("it wants a kind of login boxtop does not know")

    def _token(self, asked: Mapping[str, str]) -> str:
        """A token from the place the registry names (distribution's token specification)."""
        realm = asked.get("realm", "")
        parts = urlsplit(realm)
        own = self._trust.insecure and parts.hostname == urlsplit(f"//{self._host}").hostname
        if parts.scheme != "https" and not (parts.scheme == "http" and own):
            raise ActionError(f"{self._host} wants the login sent without TLS to {clean(realm, 200)}: boxtop does not")
        query = {name: asked[name] for name in ("service", "scope") if asked.get(name)}
        login = self._login
        if login is not None and login.token:
            form = {"grant_type": "refresh_token", "client_id": _CLIENT, "refresh_token": login.token, **query}
            answer = self._ask(realm, "", form)
        else:
            address = f"{realm}{'&' if parts.query else '?'}{urlencode(query)}"
            answer = self._ask(address, _basic(login) if login else "")
        if answer.status in {400, 401, 403}:
            raise NeedsLogin("the login is refused" if login else "it wants a login")
        if answer.status != 200:
            raise ActionError(f"{clean(parts.netloc, 200)}: {_told(answer)}")
        data = _json(answer)
        token = data.get("token") or data.get("access_token")
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise ActionError(f"{clean(parts.netloc, 200)} gave no token")
        return token


def _basic(login: Login) -> str:
    from urllib3.util import make_headers

    return str(make_headers(basic_auth=f"{login.username}:{login.password}")["authorization"])


def _json(answer: BaseHTTPResponse) -> dict[str, Any]:
    raw = answer.read(_LARGEST + 1)
    if len(raw) > _LARGEST:
        raise ActionError("the registry's answer is too long")
    try:
        data = json.loads(raw)
    except ValueError:
        raise ActionError("the registry's answer is no JSON") from None
    return data if isinstance(data, dict) else {}


def _told(answer: BaseHTTPResponse) -> str:
    """The registry's words for a refusal."""
    with suppress(Exception):
        errors = json.loads(answer.read(1 << 16))["errors"]
        return clean(f"{errors[0].get('code', '')} {errors[0].get('message', '')}", 200).strip()
    return f"HTTP status {answer.status}"


def _words(host: str, error: BaseException) -> str:
    """Why there is no answer, in one line."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError):
            return (
                f"{host}: its certificate is not trusted: {clean(seen.verify_message, 200)} "
                f"(its CA goes to /etc/docker/certs.d/{host}/ca.crt)"
            )
        if isinstance(seen, ssl.SSLError):
            return f"{host} speaks no TLS, and the engine does not have it as an insecure registry"
        if isinstance(seen, TimeoutError) or "timed out" in str(seen):
            return f"{host} does not answer"
        if isinstance(seen, ConnectionRefusedError):
            return f"{host} refuses connections: is the registry running?"
        if type(seen).__name__ in {"gaierror", "NameResolutionError"}:
            return f"{host}: no such host"
        seen = seen.__cause__ or seen.__context__
    return f"{host}: {clean(str(error), 200)}"

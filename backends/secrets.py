"""Which names, arguments and values look like secrets, and their masked forms.

A guess, as good as names allow: rather too much is masked than too little, since one key press shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

MASK = "••••••"

# anywhere in a name, whatever stands around them
_STEMS = (
    "password", "passwd", "passphrase", "passcode", "secret", "credential", "apikey", "privatekey", "accesskey",
    "authkey", "signingkey", "encryptionkey", "masterkey", "sharedkey", "sshkey", "licensekey", "connectionstring",
    "basicauth", "masterauth", "requirepass", "webhook", "kennwort",
)  # fmt: skip
_WORDS = {"pass", "pw", "pwd", "jwt", "dsn", "cookie", "authorization", "bearer", "creds", "otp", "pat"}
_LAST_WORDS = {"auth", "auths"}
# a last word that says the value is about the secret, and not the secret
_ABOUT = {
    "file", "files", "path", "dir", "sock", "socket", "enabled", "disabled", "required", "length", "policy", "type",
    "ttl", "expiry", "expires", "expiration", "lifetime", "timeout", "method", "provider", "algorithm", "algo", "count",
    "min", "max", "name", "host", "port", "rotation", "mode", "driver", "store",
}  # fmt: skip
_NO_SECRET_KEY = {"public", "pub", "gpg", "primary", "foreign", "sort", "partition", "cache", "index", "host", "group"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")

_VALUE = re.compile(
    rf"""{MASK}|(?:(?:Bearer|Basic|Digest|Token)\s+)?(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|\S+)""", re.IGNORECASE
)
_NAMED = re.compile(
    r"""(?<![\w.-])(?:(?P<key>-{0,2}[A-Za-z_][\w.-]*)["']?(?:=|\s?:(?:\s+|(?=["'])))|(?P<option>--?[A-Za-z][\w.-]*)\s+)"""
)
_URL = re.compile(r"""(://[^\s/?#@:'"]*):[^\s/?#'"]+@""")
_URL_TOKEN = re.compile(r"""(https?://)[^\s/?#@:'"]{16,}@""")
_KNOWN = re.compile(
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|\Z)"
    r"|\bBearer\s+[\w.~+/=-]{8,}"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abprs]-[\w-]{10,}|\bAKIA[0-9A-Z]{16}\b",
    re.DOTALL,
)
_MYSQL = re.compile(r"\b(?:mysql|mariadb)")
_MYSQL_PASSWORD = re.compile(r"(?<!\S)-p[^\s\"']+")
_CURL = re.compile(r"\bcurl\b")
_CURL_USER = re.compile(r"(?<!\S)(-u\s*|--user[\s=]+)([^\s:\"']+):[^\s\"']+")
_ENTRY_NAME = re.compile(r"[A-Za-z_][\w./-]*")


class Secret(str):
    """A text that holds a secret, with the form that may be shown."""

    __slots__ = ("masked",)
    masked: str

    def __new__(cls, text: str, masked: str = MASK) -> Secret:
        secret = super().__new__(cls, text)
        secret.masked = masked
        return secret

    def __repr__(self) -> str:
        return f"Secret({self.masked!r})"


def looks_secret(name: str) -> bool:
    """Whether the value of an environment variable, label, option or field of this name should not be shown."""
    words = [word.lower() for word in _WORD.findall(name[:256])]
    if not words:
        return False
    squashed = "".join(words)
    if words[-1] in _ABOUT and "webhook" not in squashed:
        return False
    if any(stem in squashed for stem in _STEMS):
        # the key that everybody may know
        return not squashed.endswith("publickey")
    if squashed in ("pwd", "oldpwd"):
        return False
    if words[-1] in _LAST_WORDS or any(word in _WORDS or word.endswith(("token", "tokens")) for word in words):
        return True
    if words[-1].endswith("pass") and words[-1] not in ("compass", "bypass"):
        return True
    return len(words) > 1 and words[-1] == "key" and words[-2] not in _NO_SECRET_KEY


def mask_text(text: str) -> str:
    """A command line or other text with secret-looking arguments, assignments and URL passwords masked."""
    masked = _URL_TOKEN.sub(rf"\1{MASK}@", _URL.sub(rf"\1:{MASK}@", _KNOWN.sub(MASK, text)))
    if _MYSQL.search(masked):
        masked = _MYSQL_PASSWORD.sub(f"-p{MASK}", masked)
    if _CURL.search(masked):
        masked = _CURL_USER.sub(rf"\1\2:{MASK}", masked)
    return _mask_named(masked)


def _mask_named(text: str) -> str:
    parts: list[str] = []
    end = 0
    for match in _NAMED.finditer(text):
        name = match["key"] or match["option"]
        if match.start() < end or not looks_secret(name):
            continue
        value = _VALUE.match(text, match.end())
        if value is None or (match["option"] and value.group().startswith("-")):
            continue
        parts += [text[end : match.end()], MASK]
        end = value.end()
    return "".join([*parts, text[end:]])


def is_secret_entry(text: str) -> tuple[str, str] | None:
    """(KEY, VALUE) of an environment line `KEY=VALUE` whose key or value looks secret; None for any other text."""
    key, separator, value = text.partition("=")
    if not separator or not value or not _ENTRY_NAME.fullmatch(key):
        return None
    return (key, value) if looks_secret(key) or mask_text(value) != value else None


def mask_pairs(pairs: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Labels and the like, with secret values masked."""
    return tuple((key, MASK if value and looks_secret(key) else mask_text(value)) for key, value in pairs)


def walk(data: Any, wrap: Callable[[Secret], Any]) -> Any:
    """A copy of JSON data in which every text that holds a secret is replaced by what `wrap` makes of it.

    `wrap` gets the whole text (of an environment line: `KEY=VALUE`) as a `Secret`, a str that knows its masked form;
    `lambda secret: secret.masked` makes data for an export.
    """
    if isinstance(data, dict):
        return _walk_dict(data, wrap)
    if isinstance(data, (list, tuple)):
        return _walk_list(list(data), wrap, "")
    if isinstance(data, str):
        masked = mask_text(data)
        return data if masked == data else wrap(Secret(data, masked))
    return data


def _walk_dict(data: dict[Any, Any], wrap: Callable[[Secret], Any]) -> dict[Any, Any]:
    lower = {str(key).lower(): value for key, value in data.items()}
    # a variable or property as an object: {"Name": "DB_PASSWORD", "Value": "..."}
    title = lower.get("name", lower.get("key"))
    named = isinstance(title, str) and looks_secret(title)
    program = lower.get("path")
    found = {}
    for key, value in data.items():
        name = str(key)
        if looks_secret(name) or (named and name.lower() == "value"):
            found[key] = _hide(value, wrap)
        elif name == "Args" and isinstance(value, list) and isinstance(program, str):
            # a container's command is Path and Args in Docker's API
            found[key] = _walk_list(value, wrap, program)
        else:
            found[key] = walk(value, wrap)
    return found


def _hide(value: Any, wrap: Callable[[Secret], Any]) -> Any:
    """What stands under a secret name: texts and numbers are secret, objects are searched."""
    if isinstance(value, list):
        return [_hide(item, wrap) for item in value]
    if isinstance(value, bool) or value is None or value == "":
        return value
    if isinstance(value, (str, int, float)):
        return wrap(Secret(str(value)))
    return walk(value, wrap)


def _walk_list(items: list[Any], wrap: Callable[[Secret], Any], program: str) -> list[Any]:
    found: list[Any] = []
    if not program and items and isinstance(items[0], str):
        program = items[0]
    mysql, curl = _MYSQL.search(program), _CURL.search(program)
    previous = ""
    for item in items:
        if not isinstance(item, str):
            found.append(walk(item, wrap))
            previous = ""
            continue
        entry = is_secret_entry(item)
        if entry is not None:
            key, value = entry
            found.append(wrap(Secret(item, f"{key}={MASK if looks_secret(key) else mask_text(value)}")))
        elif item and _is_option(previous) and looks_secret(previous) and not item.startswith("-"):
            found.append(wrap(Secret(item)))
        elif mysql and _MYSQL_PASSWORD.fullmatch(item):
            found.append(wrap(Secret(item, f"-p{MASK}")))
        elif curl and previous in ("-u", "--user") and ":" in item:
            found.append(wrap(Secret(item, f"{item.partition(':')[0]}:{MASK}")))
        else:
            found.append(walk(item, wrap))
        previous = item
    return found


def _is_option(text: str) -> bool:
    return text.startswith("-") and "=" not in text and not any(character.isspace() for character in text)

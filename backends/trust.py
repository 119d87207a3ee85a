"""Whether a registry's address may be believed: its certificate, or the engine's word that it need not have one."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from backends.base import ActionError


@dataclass(frozen=True, slots=True)
class Trust:
    """How a registry's address may be believed."""

    insecure: bool = False
    folders: tuple[Path, ...] = ()
    """Folders with CA certificates (*.crt) and client certificates (*.cert with *.key), as dockerd's certs.d."""


def is_insecure(host: str, names: Iterable[str], networks: Iterable[str]) -> bool:
    """Whether an engine with these settings does without verified TLS for a registry host; loopback always does."""
    bare = urlsplit(f"//{host}").hostname or ""
    if is_loopback(bare) or host in set(names):
        return True
    with suppress(ValueError):
        address = ipaddress.ip_address(bare)
        for text in networks:
            with suppress(ValueError, TypeError):
                if address in ipaddress.ip_network(text, strict=False):
                    return True
    return False


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


def tls_context(trust: Trust) -> ssl.SSLContext:
    """Verifying, unless insecure. Raises ActionError for a certificate file that cannot be used."""
    context = ssl.create_default_context()
    for folder in trust.folders:
        with suppress(OSError):
            for file in sorted(folder.iterdir()):
                try:
                    if file.suffix == ".crt":
                        context.load_verify_locations(file)
                    elif file.suffix == ".cert":
                        context.load_cert_chain(file, file.with_suffix(".key"))
                except (OSError, ssl.SSLError) as error:
                    raise ActionError(f"{file} cannot be used: {error}") from None
    if trust.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context

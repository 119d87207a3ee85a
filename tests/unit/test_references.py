from __future__ import annotations

import pytest

from backends.references import parse, valid_host


@pytest.mark.parametrize(
    ("text", "registry", "full"),
    [
        ("nginx", "docker.io", "nginx:latest"),
        ("nginx:1.27", "docker.io", "nginx:1.27"),
        ("bitnami/redis", "docker.io", "bitnami/redis:latest"),
        ("localhost/app", "localhost", "localhost/app:latest"),
        ("127.0.0.1:5000/team/app:v1", "127.0.0.1:5000", "127.0.0.1:5000/team/app:v1"),
        ("[::1]:5000/app", "[::1]:5000", "[::1]:5000/app:latest"),
        ("quay.io/a/b/c__d", "quay.io", "quay.io/a/b/c__d:latest"),
        (f"redis@sha256:{'a' * 64}", "docker.io", f"redis@sha256:{'a' * 64}"),
        (" redis ", "docker.io", "redis:latest"),
    ],
)
def test_references_as_docker_takes_them(text, registry, full):
    found = parse(text)
    assert (found.registry, found.full) == (registry, full)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Nginx",
        "a b",
        "http://x/y",
        "x:",
        "x:-1",
        "x@sha256:12",
        "a//b",
        "-a",
        "a/",
        "x.y/",
        "a:b:c",
        "a" * 256,
        "f" * 64,
    ],
)
def test_what_is_no_reference_is_said_in_words(text):
    with pytest.raises(ValueError, match=r"\w+ \w+"):
        parse(text)


def test_hosts():
    assert valid_host("registry.example.com:5000")
    assert valid_host("[::1]:5000")
    for text in ("", "http://x", "x/y", "x:port", "a b", "x:1:2"):
        assert not valid_host(text)

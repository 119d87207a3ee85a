"""What is told of a simulated engine's images: their layers, the history that made them, and where others are found."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from backends.abilities.images import Found, Layer
from backends.demo.curves import MB, number
from backends.model import Image

HOST = "registry.demo:5000"
"""A private registry that takes all that is pushed to it."""

STOCK: dict[str, tuple[str, ...]] = {
    "platform/base": ("bookworm", "bullseye", "latest"),
    "platform/node": ("20", "22", "22-bookworm"),
    "shop/api": ("2.12.3", "2.13.0", "2.13.1", "2.14.0", "2.15.0-rc1", "latest"),
    "shop/mailer": ("1.4.0", "1.4.1"),
    "shop/web": ("2.12.3", "2.13.0", "2.14.0", "2.15.0-rc1", "latest"),
    "tools/backup": ("2025-11", "2025-12", "latest"),
}
_FOUND: tuple[tuple[str, str, int, bool], ...] = (
    ("nginx", "Official build of Nginx.", 21104, True),
    ("postgres", "The PostgreSQL object-relational database system.", 14387, True),
    ("redis", "Redis is the world’s fastest data platform.", 13365, True),
    ("node", "Node.js is a JavaScript-based platform for server-side and networking applications.", 14013, True),
    ("python", "Python is an open-source programming language.", 10164, True),
    ("traefik", "Traefik, The Cloud Native Edge Router", 3561, True),
    ("registry", "Distribution implementation for storing and distributing of container images.", 4134, True),
    ("alpine", "A minimal Docker image based on Alpine Linux with a complete package index.", 11393, True),
    ("busybox", "Busybox base image.", 3452, True),
    ("debian", "Debian is a Linux distribution that's composed entirely of free and open-source software.", 5306, True),
    ("nginx/nginx-prometheus-exporter", "NGINX Prometheus Exporter for NGINX and NGINX Plus", 49, False),
    ("nginxinc/nginx-unprivileged", "Unprivileged NGINX Dockerfiles", 172, False),
    ("bitnami/postgresql", "Bitnami container image for PostgreSQL", 305, False),
    ("grafana/grafana", "The official Grafana docker container", 3571, False),
    ("prom/prometheus", "The Prometheus monitoring system and time series database.", 2031, False),
    ("opensearchproject/opensearch", "The Official Docker Image of OpenSearch.", 195, False),
)  # fmt: skip

_BASE = "ADD file:4b9ac64c0c8d6a1bb2a6f5c7 in / "
_STEPS: dict[str, tuple[str, ...]] = {
    "shop/web": (
        "ENV NODE_ENV=production PORT=3000",
        "WORKDIR /srv/app",
        "COPY package.json package-lock.json ./ # buildkit",
        "RUN |1 NPM_TOKEN=npm_4f1c0e77d2a94be3 /bin/sh -c npm ci --omit=dev # buildkit",
        "COPY dist/ ./dist/ # buildkit",
        'CMD ["node" "server.js"]',
    ),
    "shop/api": (
        "ENV PYTHONUNBUFFERED=1 DJANGO_SECRET_KEY=build-only-7d1f",
        "WORKDIR /srv/app",
        "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends libpq5 # buildkit",
        "COPY requirements.txt . # buildkit",
        "RUN /bin/sh -c pip install --no-cache-dir -r requirements.txt # buildkit",
        "COPY shop/ ./shop/ # buildkit",
        'CMD ["gunicorn" "shop.api"]',
    ),
}
_ORDINARY = (
    "ENV LANG=C.UTF-8",
    "RUN /bin/sh -c set -eux; apt-get update; apt-get install -y --no-install-recommends ca-certificates",
    "RUN /bin/sh -c set -eux; curl -fsSL -o /tmp/release.tar.gz https://example.com/release.tar.gz",
    "COPY entrypoint.sh /usr/local/bin/ # buildkit",
    'ENTRYPOINT ["entrypoint.sh"]',
    "EXPOSE map[8080/tcp:{}]",
)
_EMPTY = ("ENV", "CMD", "ENTRYPOINT", "EXPOSE", "WORKDIR", "LABEL")


def layers(seed: int, name: str, size: int) -> list[tuple[str, int]]:
    """(short id, compressed bytes) of the layers an image is pulled in."""
    count = 3 + number(seed, "layers", name) % 5
    shares = [1 + number(seed, "share", f"{name}/{index}") % 100 for index in range(count)]
    total = sum(shares)
    return [
        (hashlib.sha256(f"{seed}/{name}/{index}".encode()).hexdigest()[:12], max(1, size * share // total))
        for index, share in enumerate(shares)
    ]


def size_of(seed: int, name: str) -> int:
    """Bytes of an image that is not there yet."""
    return (20 + number(seed, "size", name) % 480) * MB


def history(image: Image, repository: str) -> tuple[Layer, ...]:
    """Newest first; the sizes add up to the image's."""
    steps: Sequence[str] = (_BASE, 'CMD ["bash"]', *_STEPS.get(repository, _ORDINARY))
    filling = [at for at, step in enumerate(steps) if not step.startswith(_EMPTY)]
    sizes = dict.fromkeys(filling, 0)
    left = image.size
    for place, at in enumerate(filling):
        share = left if place == len(filling) - 1 else left * 2 // 5
        sizes[at] = share
        left -= share
    found = [
        Layer(
            id=image.ref.id if at == len(steps) - 1 else "",
            command=step if step.startswith(("RUN", "COPY")) else f"/bin/sh -c #(nop)  {step}" if at < 2 else step,
            created=image.created - (len(steps) - 1 - at) * 0.9 - (12 * 86400.0 if at < 2 else 0.0),
            size=sizes.get(at, 0),
            tags=image.tags if at == len(steps) - 1 else (),
            comment="buildkit.dockerfile.v0" if at >= 2 else "",
        )
        for at, step in enumerate(steps)
    ]
    return tuple(reversed(found))


def search(term: str) -> tuple[Found, ...]:
    words = term.lower().split()
    found = [Found(*entry) for entry in _FOUND if all(word in f"{entry[0]} {entry[1]}".lower() for word in words)]
    return tuple(sorted(found, key=lambda entry: (not any(word in entry.name for word in words), -entry.stars)))

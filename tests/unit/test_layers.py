from __future__ import annotations

import pytest

from backends.abilities.images import Layer
from backends.docker.images import layer_of
from tui.tabs.layers import made_by


@pytest.mark.parametrize(
    ("created_by", "shown"),
    [
        ('/bin/sh -c #(nop)  CMD ["bash"]', 'CMD ["bash"]'),
        ("/bin/sh -c apt-get   update", "RUN apt-get update"),
        ("RUN /bin/sh -c npm ci # buildkit", "RUN npm ci"),
        ("COPY dist/ ./dist/ # buildkit", "COPY dist/ ./dist/"),
        ("RUN |1 NPM_TOKEN=abcdef /bin/sh -c npm ci # buildkit", "RUN |1 NPM_TOKEN=•••••• /bin/sh -c npm ci"),
        ("ENV DB_PASSWORD=hunter2 PORT=80", "ENV DB_PASSWORD=•••••• PORT=80"),
        ("", "imported"),
    ],
)
def test_steps_read_as_a_dockerfile_with_secrets_masked(created_by, shown):
    assert made_by(Layer("", created_by, 0.0, 0, comment="imported")) == shown


def test_an_entry_of_the_engine():
    found = layer_of(
        {"Id": "<missing>", "CreatedBy": "a\x1b[2Jb", "Created": 5, "Size": None, "Tags": ["<none>:<none>", "x:1"]}
    )
    assert found == Layer("", "ab", 5.0, 0, ("x:1",))
    assert layer_of({}) == Layer("", "", 0.0, 0)

"""How an image is removed, for what an engine says refers to it."""

from __future__ import annotations

from backends.docker.perform import _by_name


def test_tags_are_removed_by_name_only_where_the_engine_refuses_the_id() -> None:
    assert _by_name({"RepoTags": ["mine:1"], "RepoDigests": ["mine@sha256:1"]}) == []
    assert _by_name({"RepoTags": ["localhost:5000/mine:1"], "RepoDigests": None}) == []
    assert _by_name({"RepoTags": ["mine:1", "mine:2"], "RepoDigests": []}) == ["mine:1"]
    assert _by_name({"RepoTags": ["<none>:<none>"], "RepoDigests": ["<none>@<none>"]}) == []
    # Left by an older pull under another name
    assert _by_name({"RepoTags": ["mine:1"], "RepoDigests": ["mine@sha256:1", "pulled@sha256:1"]}) == ["mine:1"]

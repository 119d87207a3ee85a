"""What a .dockerignore leaves out: Docker's documented rules, as BuildKit applies them to the same folder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from backends.base import ActionError
from backends.ignored import Ignored
from backends.pack import Scan, scan, walk

_FILES = """a.txt b.md README.md README-secret.md docs/x.md docs/y.txt docs/deep/z.md docs/deep/k.txt temp tempa
temporary src/main.go src/temp/x src/temp1/y src/a/temp/x node_modules/p/index.js node_modules/p/keep.txt .git/config
.env sub/.env we[i]rd/f w.x/y wax/y a+b/(c) !bang #hash foo/bar/baz/qux foo/bar/other foo/x Dockerfile
.dockerignore"""
FILES = _FILES.split()
ALL = frozenset(FILES)
DOCS = frozenset(name for name in FILES if name.startswith("docs/"))
FOO = frozenset(name for name in FILES if name.startswith("foo/"))


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def stays(context: Path, text: str, kept: tuple[str, ...] = ()) -> set[str]:
    leave = Ignored(text, kept=kept)
    return {member.name for member in walk(str(context), "", leave=leave) if not Path(member.path).is_dir()}


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("", set()),
        ("# comment\n\n   \n  a.txt  ", {"a.txt"}),
        ("\ufeffa.txt", {"a.txt"}),
        ("*/temp*", {"src/temp/x", "src/temp1/y"}),
        ("*/*/temp*", {"src/a/temp/x"}),
        ("temp?", {"tempa"}),
        ("**/temp", {"temp", "src/temp/x", "src/a/temp/x"}),
        ("**/*.md", {name for name in FILES if name.endswith(".md")}),
        ("*.md\n!README.md", {"b.md", "README-secret.md"}),
        ("*.md\n!README*.md\nREADME-secret.md", {"b.md", "README-secret.md"}),
        ("*.md\nREADME-secret.md\n!README*.md", {"b.md"}),
        ("/docs", DOCS),
        ("./docs/", DOCS),
        ("src/../docs", DOCS),
        ("docs/**", DOCS),
        ("**/deep/**", {"docs/deep/z.md", "docs/deep/k.txt"}),
        ("docs\n!docs/deep", DOCS - {"docs/deep/z.md", "docs/deep/k.txt"}),
        ("docs/**\n!docs/deep/k.txt", DOCS - {"docs/deep/k.txt"}),
        ("node_modules\n!node_modules/p/keep.txt", {"node_modules/p/index.js"}),
        ("*\n!src/main.go", ALL - {"src/main.go"}),
        ("*\n!**/*.md", {name for name in FILES if not name.endswith(".md")}),
        ("foo\n!foo/b*/baz", FOO - {"foo/bar/baz/qux"}),
        ("*\n!foo\nfoo/bar/other", (ALL - FOO) | {"foo/bar/other"}),
        ("foo/**/qux", {"foo/bar/baz/qux"}),
        ("foo/*", FOO),
        ("w.x", {"w.x/y"}),
        ("w[.a]x", {"w.x/y", "wax/y"}),
        ("w[^.]x", {"wax/y"}),
        (r"we\[i\]rd", {"we[i]rd/f"}),
        ("a+b/(c)", {"a+b/(c)"}),
        (r"\!bang", {"!bang"}),
        (r"\#hash", {"#hash"}),
        ("**/.env", {".env", "sub/.env"}),
        ("A.TXT\nmissing", set()),
        (".", set()),
        ("../docs", set()),
        ("**", ALL),
    ],
)  # fmt: skip
def test_rules(context, text, left_out):
    assert stays(context, text) == ALL - left_out


def test_what_the_engine_needs_stays(context):
    assert stays(context, "*", ("Dockerfile", ".dockerignore")) == {"Dockerfile", ".dockerignore"}
    assert stays(context, "docs\nDockerfile", ("docs/deep/k.txt",)) == (ALL - DOCS - {"Dockerfile"}) | {
        "docs/deep/k.txt"
    }


@pytest.mark.parametrize("text", ["[a", "a\\", "!", "a\n!  \n", "x[]"])
def test_what_is_no_pattern(text):
    with pytest.raises(ActionError, match="ignore file"):
        Ignored(text)


def test_folders_left_out_whole_are_not_looked_into(context):
    found = scan(str(context), "", leave=Ignored("node_modules\ndocs\n!README.md"))
    assert (found.excluded, found.files) == (2, len(ALL) - 2 - len(DOCS))
    assert isinstance(found, Scan)


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ActionError, match="No such file"):
        scan(str(tmp_path / "gone"), "")


def test_any_number_of_folders_said_often_takes_no_longer():
    ignored = Ignored("**/" * 30 + "zzz\n" + "**/" * 30 + "b")
    deep = "/".join(["aaa"] * 40)
    began = time.process_time()
    assert not ignored(deep, False)
    assert ignored(f"{deep}/b", False)
    assert time.process_time() - began < 1.0

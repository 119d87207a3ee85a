"""Compose: what labels tell of a project, the argument list, the environment, and what is asked before."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from backends.abilities.compose import Belongings, ComposeOptions, Tool, Verb
from backends.base import ActionError
from backends.docker.compose import command_line, environment_for, files_of, find_tool
from backends.docker.locate import Endpoint, Tls
from backends.model import Container
from backends.programs import run_program
from backends.projects import Project, project_from
from tests.unit.objects import container
from tui.compose import asks, options_of, question, targets_of, widened
from tui.grouping import Places, grouped
from tui.selection import name_of, ranked
from widgets.confirm import Answer

V2 = Tool(("docker", "compose"), "2.26.1")
V1 = Tool(("docker-compose",), "1.29.2")
SHOP = Project("shop", "/srv/shop", ("/srv/shop/compose.yaml", "more.yaml"), (".env", "b.env"))
PLAIN = ComposeOptions()


def member(name: str, service: str, project: str = "shop", **changes: Any) -> Container:
    labels = (
        ("com.docker.compose.project", project),
        ("com.docker.compose.project.config_files", "/srv/shop/compose.yaml,more.yaml"),
        ("com.docker.compose.project.working_dir", "/srv/shop"),
        ("com.docker.compose.service", service),
    )
    return container(name, labels=labels, **changes)


def test_a_project_is_told_by_its_newest_container():
    old = container("old", labels=(("com.docker.compose.project", "shop"),), created=1.0)
    told = project_from([old, member("web", "web", created=2.0)])
    assert told == Project("shop", "/srv/shop", ("/srv/shop/compose.yaml", "/srv/shop/more.yaml"))
    assert project_from([container()]) is None
    assert files_of(SHOP)[:2] == ["/srv/shop/compose.yaml", "/srv/shop/more.yaml"]


def test_a_stack_and_podman_compose_are_told_apart():
    stack = project_from([container(labels=(("com.docker.stack.namespace", "live"),))])
    assert stack is not None
    assert stack.stack
    podman = project_from([container(labels=(("io.podman.compose.project", "pod"),))])
    assert podman is not None
    assert podman.by_podman
    assert not podman.stack


def test_the_argument_list():
    assert command_line(V2, Verb.UP, SHOP, ["web"], ComposeOptions(build=True, orphans=True)) == [
        "docker",
        "compose",
        "--project-directory=/srv/shop",
        "--project-name=shop",
        "--file=/srv/shop/compose.yaml",
        "--file=/srv/shop/more.yaml",
        "--env-file=/srv/shop/.env",
        "--env-file=/srv/shop/b.env",
        "up",
        "--detach",
        "--build",
        "--remove-orphans",
        "web",
    ]
    assert command_line(V1, Verb.DOWN, SHOP, ["web"], PLAIN)[-2:] == ["--file=/srv/shop/more.yaml", "down"]
    assert command_line(V1, Verb.DOWN, SHOP, [], ComposeOptions(volumes=True))[-2:] == ["down", "--volumes"]


@pytest.mark.parametrize("name", ["--help", "-v", "a b", "x\n", "../x"])
def test_a_name_from_a_label_is_never_an_option(name):
    with pytest.raises(ActionError):
        command_line(V2, Verb.STOP, Project(name, "/srv", ("a.yaml",)), [], PLAIN)
    with pytest.raises(ActionError):
        command_line(V2, Verb.STOP, SHOP, [name], PLAIN)


def test_the_environment_leads_to_this_engine_and_nowhere_else():
    mine = {"DOCKER_HOST": "tcp://other:1", "DOCKER_CONTEXT": "prod", "COMPOSE_FILE": "x", "HOME": "/root"}
    found = environment_for(Endpoint("unix:///run/x.sock", "--host"), mine)
    assert found["DOCKER_HOST"] == "unix:///run/x.sock"
    assert "DOCKER_CONTEXT" not in found
    assert "COMPOSE_FILE" not in found
    assert found["HOME"] == "/root"
    tls = Tls("/c/ca.pem", "/c/cert.pem", "/c/key.pem")
    found = environment_for(Endpoint("tcp://web:2376", "--host", tls), {})
    assert (found["DOCKER_TLS_VERIFY"], found["DOCKER_CERT_PATH"]) == ("1", "/c")
    with pytest.raises(ActionError, match="not in one folder"):
        environment_for(Endpoint("tcp://web:2376", "--host", Tls("/c/ca.pem", "/d/cert.pem", "/d/key.pem")), {})


def program(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


async def test_the_plugin_goes_before_docker_compose_and_podmans_docker_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    program(tmp_path, "docker-compose", "echo docker-compose version 1.29.2")
    program(tmp_path, "docker", '[ "$1" = --version ] && echo Docker version 28 || echo v2.26.1')
    assert await find_tool(os.environ) == V2
    program(tmp_path, "docker", '[ "$1" = --version ] && echo podman version 4.3.1 || echo v2.26.1')
    assert await find_tool(os.environ) == V1
    program(tmp_path, "docker", '[ "$1" = --version ] && echo Docker version 28 || exit 1')
    assert await find_tool(os.environ) == V1
    program(tmp_path, "docker-compose", "exit 3")
    assert await find_tool(os.environ) is None


async def test_output_comes_clean_and_a_cancelled_program_ends():
    import asyncio

    lines: list[str] = []
    script = r"import os,sys,time;print('a\x1b[31mb\x1b[0m\rc');print(os.getpid(),flush=True);time.sleep(60)"
    running = asyncio.create_task(run_program([sys.executable, "-c", script], os.environ, lines.append))
    async with asyncio.timeout(20):
        while len(lines) < 3:
            await asyncio.sleep(0.02)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    assert lines[:2] == ["ab", "c"]
    with pytest.raises(ProcessLookupError):
        os.kill(int(lines[2]), 0)


def test_all_of_a_project_is_the_project_some_of_it_its_services():
    web, db, blog = member("web", "web"), member("db", "db"), member("blog", "web", project="blog")
    everything = [web, db, blog, container("x")]
    (whole,) = targets_of([web, db], everything, None)
    assert (whole.services, [one.name for one in whole.containers]) == ((), ["db", "web"])
    (part,) = targets_of([web], everything, None)
    assert (part.services, part.text) == (("web",), "service web of shop")
    assert widened(part, everything) == whole
    assert [target.project.name for target in targets_of(everything, everything, None)] == ["shop", "blog"]


def test_a_projects_header_means_all_of_it_whatever_the_filter_shows():
    web, db = member("web", "web"), member("db", "db")
    (group,) = grouped(ranked([web], name_of, descending=False), Places(), weighed=False, descending=False)
    (target,) = targets_of([web], [web, db], group)
    assert target.services == ()
    assert len(target.containers) == 2


def test_down_names_what_goes_and_keeps_volumes_until_the_name_is_typed():
    (target,) = targets_of([member("web", "web")], [member("web", "web")], None)
    asked = question(Verb.DOWN, target, V2, Belongings(("shop_default",), ("shop_data",)))
    said = "\n".join(text for text, _ in asked.lines)
    assert asked.title == "Take down project shop?"
    for wanted in ("/srv/shop/compose.yaml", "web  nginx:1.27  running", "shop_default", "shop_data"):
        assert wanted in said
    assert [(choice.id, choice.needs_typed) for choice in asked.choices] == [
        ("cancel", False),
        ("down", False),
        ("volumes", True),
    ]
    assert asked.typed == "shop"
    assert options_of(Answer("down", frozenset())) == PLAIN
    assert options_of(Answer("volumes", frozenset({"orphans"}))) == ComposeOptions(volumes=True, orphans=True)


def test_without_volumes_there_is_nothing_to_type():
    (target,) = targets_of([member("web", "web")], [member("web", "web")], None)
    asked = question(Verb.DOWN, target, V2, Belongings())
    assert len(asked.choices) == 2
    assert not asked.typed


def test_what_is_asked_about():
    (one,) = targets_of([member("web", "web")], [member("web", "web")], None)
    both = [member("web", "web"), member("db", "db")]
    (two,) = targets_of(both, both, None)
    assert {verb for verb in Verb if asks(verb, one)} == {Verb.UP, Verb.DOWN, Verb.BUILD}
    assert {verb for verb in Verb if asks(verb, two)} == {Verb.UP, Verb.DOWN, Verb.BUILD, Verb.STOP, Verb.RESTART}


def test_files_of_another_machine_are_pointed_out():
    (target,) = targets_of([member("web", "web")], [member("web", "web")], None)
    asked = question(Verb.START, target, V2, Belongings(), remote="ssh://web-02")
    assert any("THIS machine" in text and tone == "warn" for text, tone in asked.lines)


def test_volumes_without_a_name_that_go_along_are_named_by_where_they_are() -> None:
    (target,) = targets_of([member("db", "db")], [member("db", "db")], None)
    asked = question(Verb.DOWN, target, V2, Belongings((), ("shop_data",), ("shop-db-1: /scratch",)))
    assert "  shop-db-1: /scratch" in [text for text, _ in asked.lines]
    assert asked.choices[-1].label == "Down with 2 volumes"

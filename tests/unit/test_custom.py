"""Commands of the user's own: the strictness of their tables, what fills them, and their place among the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from backends.model import Item, Kind, Ref, State, Volume
from tests.unit.objects import container, image, vm
from tui import config
from tui.commands import BY_ID, COMMANDS, Rights, unavailable
from tui.config import ConfigError
from tui.custom.declared import CustomCommand
from tui.custom.join import commands_of
from tui.custom.placeholders import Unfit, fill
from tui.keymap import Keymap

HEAD = '[[commands]]\nname = "Dive"\nkinds = ["container"]\n'
HOST = "unix:///run/x.sock"


def parse(text: str) -> tuple[CustomCommand, ...]:
    return config.parse(text, lambda: {name: command.places for name, command in BY_ID.items()}).commands


def complaint(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_every_value_is_read() -> None:
    (found,) = parse(
        HEAD + 'command = ["dive", "--", "{image}"]\nkey = "f6"\nstates = ["running", "paused"]\nconfirm = false\n'
        'output = "terminal"\ntimeout = 90\nchanges = false'
    )
    assert found == CustomCommand(
        "Dive",
        ("dive", "--", "{image}"),
        frozenset({Kind.CONTAINER}),
        frozenset({State.RUNNING, State.PAUSED}),
        "f6",
        confirm=False,
        output="terminal",
        timeout=90.0,
        changes=False,
    )
    (plain,) = parse(HEAD + 'command = ["true"]')
    assert (plain.confirm, plain.output, plain.timeout, plain.changes, plain.key) == (True, "pane", 0.0, True, "")


@pytest.mark.parametrize(
    ("text", "key", "said"),
    [
        ("commands = 3", "commands", "array of tables"),
        (HEAD, "commands[0]", "misses its command"),
        ('[[commands]]\nname = "a"\ncommand = ["b"]', "commands[0]", "misses its kinds"),
        (HEAD + 'command = "docker logs {name}"', "commands[0].command", "list of arguments"),
        (HEAD + "command = []", "commands[0].command", "list of arguments"),
        (HEAD + 'command = ["a", 3]', "commands[0].command", "list of arguments"),
        (HEAD + 'command = ["{name}"]', "commands[0].command[0]", "must not choose what is run"),
        (
            HEAD + 'command = ["a", "{nmae}"]',
            "commands[0].command[1]",
            "{nmae} is no placeholder; allowed: engine, host",
        ),
        (HEAD + 'command = ["a", "-x", "{os}"]', "commands[0].command[2]", "not known of a container"),
        (HEAD + 'command = ["sh", "-c", "echo {name}"]', "commands[0].command[2]", "read as commands"),
        (HEAD + 'command = ["/bin/bash", "-exc", "echo {name}"]', "commands[0].command[2]", "read as commands"),
        (HEAD + 'command = ["a"]\nstates = ["up"]', "commands[0].states", "running"),
        (HEAD + 'command = ["a"]\noutput = "window"', "commands[0].output", "pane, terminal"),
        (HEAD + 'command = ["a"]\nconfirm = "no"', "commands[0].confirm", "true or false"),
        (HEAD + 'command = ["a"]\ntimeout = -1', "commands[0].timeout", "0 (none) to 86400"),
        (HEAD + 'command = ["a"]\nkey = ""', "commands[0].key", "must be a key"),
        (HEAD + 'command = ["a"]\nshell = true', "commands[0].shell", "unknown key; allowed: changes, command"),
        (HEAD + 'command = ["a"]\nkey = "s"', "commands[0].key", '"s" is given to item.start already'),
        (HEAD + 'command = ["a"]\nkey = "j"', "commands[0].key", '"j" is given to table.down already'),
        (HEAD + 'command = ["a"]\nkey = "q"', "commands[0].key", "app.quit"),
        (HEAD + 'command = ["a"]\n' + HEAD.replace("Dive", "dive!") + 'command = ["b"]', "commands[1].name", "differ"),
        (
            HEAD + 'command = ["a"]\nkey = "f6"\n' + HEAD.replace("Dive", "Other") + 'command = ["b"]\nkey = "f6"',
            "commands[1].key",
            "custom.dive",
        ),
        ('[[commands]]\nname = ""\nkinds = ["vm"]\ncommand = ["a"]', "commands[0].name", "1 to 40"),
        (
            '[[commands]]\nname = "a"\nkinds = ["image"]\nstates = ["running"]\ncommand = ["a"]',
            "commands[0].states",
            "state",
        ),
        ('[[commands]]\nname = "a"\nkinds = ["pod"]\ncommand = ["a"]', "commands[0].kinds", "container, vm, image"),
    ],
)
def test_a_mistake_names_the_key_and_what_is_allowed(text: str, key: str, said: str) -> None:
    message = complaint(text)
    assert message.startswith(key + (":" if key else ""))
    assert said in message


def test_a_key_may_be_shared_where_it_means_nothing_else() -> None:
    volumes = HEAD.replace('"container"', '"volume"') + 'command = ["a"]\nkey = "e"'
    assert parse(volumes)[0].key == "e"  # containers have it for the shell
    freed = HEAD + 'command = ["a"]\nkey = "s"\n[keys]\nitem.start = "f11"'
    assert parse(freed)[0].key == "s"


def filled(command: list[str], item: Item) -> list[str]:
    return fill(command, item, HOST)


def test_values_are_parts_of_one_argument_whatever_is_in_them() -> None:
    odd = vm("my vm; rm -rf '$HOME' \"x\" {id} `id`")
    assert filled(["a", "--vm={name}", "{name} {name}", "{{name}}", "{{.State}}", "{print $1}"], odd) == [
        "a",
        f"--vm={odd.name}",
        f"{odd.name} {odd.name}",
        "{{name}}",
        "{{.State}}",
        "{print $1}",
    ]


def test_each_kind_has_its_values() -> None:
    labels = (("com.docker.compose.project", "shop"), ("com.docker.compose.service", "web"))
    box = container("web", labels=labels)
    words = ["a", "{id}", "{short_id}", "{name}", "{image}", "{state}", "{project}", "{service}", "{engine}", "{host}"]
    assert filled(words, box)[1:] == [
        "web-id", "web-id", "web", "nginx:1.27", "running", "shop", "web", "docker", HOST,
    ]  # fmt: skip
    assert filled(["a", "{name}", "{short_id}"], image())[1:] == ["nginx:1.27", "image-id"]
    assert filled(["a", "{name}"], image(""))[1:] == ["sha256:image-id"]
    volume = Volume(Ref("docker", Kind.VOLUME, "data"), "data", "local", "/var/lib/docker/volumes/data/_data")
    assert filled(["a", "{mountpoint}", "{driver}"], volume)[1:] == [volume.mountpoint, "local"]


def test_a_value_with_a_dash_becomes_no_option_unseen() -> None:
    sly = vm("--delete-everything")
    with pytest.raises(Unfit, match=r'would be taken for an option: put "--" before \{name\}'):
        filled(["VBoxManage", "showvminfo", "{name}"], sly)
    assert filled(["a", "--", "{name}"], sly) == ["a", "--", "--delete-everything"]
    assert filled(["a", "--vm={name}", "x{name}"], sly) == ["a", "--vm=--delete-everything", "x--delete-everything"]
    with pytest.raises(Unfit, match="it has no project"):
        filled(["a", "-p", "{project}"], container())


def test_they_stand_among_boxtops_own() -> None:
    own = parse(
        HEAD + 'command = ["dive", "{image}"]\nkey = "f6"\nstates = ["running"]\n'
        '[[commands]]\nname = "look"\nkinds = ["vm"]\ncommand = ["a", "{name}"]\nchanges = false'
    )
    keymap = Keymap({}, commands_of(own))
    assert keymap.commands[: len(COMMANDS)] == COMMANDS
    dive, look = keymap.by_id["custom.dive"], keymap.by_id["custom.look"]
    assert keymap.text(dive) == "F6"
    assert keymap.all_keys()["f6"] == [dive]
    hints = {hint.id: hint for hint in keymap.hints([container()], Rights(), [])}
    assert hints["custom.dive"].enabled
    assert unavailable(dive, [container(state=State.EXITED)], Rights()) == "web is exited"
    assert unavailable(dive, [vm()], Rights()) == "it is not for VMs"
    assert (
        unavailable(look, [vm("-x")], Rights())
        == '-x would be taken for an option: put "--" before {name} in the command'
    )
    barred = Rights(dict.fromkeys(("docker", "virtualbox"), "docker is read-only"))
    assert unavailable(dive, [container()], barred) == "docker is read-only"
    assert unavailable(look, [vm()], barred) is None
    assert "custom.dive" not in {hint.id for hint in keymap.hints([container()], barred, ["docker"])}


def test_one_on_the_terminal_is_for_one_at_a_time() -> None:
    own = parse(HEAD + 'command = ["a"]\noutput = "terminal"')
    (command,) = commands_of(own)
    two = [container(), replace(container(), name="other")]
    assert unavailable(command, two, Rights()) == "it is done to one row at a time"


@pytest.mark.parametrize("name", ["terminal.shell", "terminal.shell_as", "terminal.attach"])
def test_a_terminal_in_a_container_counts_as_a_change(name: str) -> None:
    command = BY_ID[name]
    abilities = {"docker": frozenset({command.ability})}
    assert unavailable(command, [container()], Rights(abilities=abilities)) is None  # type: ignore[arg-type]
    assert unavailable(command, [container()], Rights({"docker": "docker is read-only"}, abilities))  # type: ignore[arg-type]
    assert unavailable(command, [container()], Rights()) == "docker cannot do that"
    for state, said in ((State.PAUSED, "resume it first"), (State.EXITED, "must run")):
        assert said in str(unavailable(command, [container(state=state)], Rights(abilities=abilities)))  # type: ignore[arg-type]

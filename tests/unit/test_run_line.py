"""A run as a `docker run` line and back: what is written is read the same, what cannot be read says why."""

from __future__ import annotations

import random
import shlex

import pytest

from backends.runs.body import body_of
from backends.runs.line import LineError, line_of, read_line, read_more
from backends.runs.spec import RunSpec

_TEXTS = [
    "a",
    "web-1",
    "it's",
    'say "hi"',
    "two words",
    "$HOME",
    "a\\b",
    "`id`",
    "~/x",
    "ä✓",
    "a;b|c&d>e",
    "-x",
    "'",
    "*",
]
_MORE = [
    "--cap-add=NET_ADMIN", "--privileged", "--tmpfs=/run:size=64m", "--log-opt=max-size=10m", "--health-cmd=a b",
    "--ulimit=nofile=1024:2048", "--init", "--add-host=db:10.0.0.1", "--sysctl=net.core.somaxconn=1024", "--ip=::1",
]  # fmt: skip


def some(dice: random.Random) -> RunSpec:
    """Any spec a line can say."""

    def texts(prefix: str = "") -> tuple[str, ...]:
        return tuple(prefix + dice.choice(_TEXTS) for _ in range(dice.randrange(4)))

    return RunSpec(
        image=dice.choice(["nginx", "nginx:1.27", "registry:5000/team/app@sha256:" + "0" * 64]),
        name=dice.choice(["", "web-01"]),
        command=texts(),
        entrypoint=dice.choice([(), ("",), ("/bin/sh",), ("two words",)]),
        ports=tuple(dice.sample(["80", "8080:80", "127.0.0.1::80", "[::1]:53:53/udp", "8000-8009:80-89"], 2)),
        environment=texts("KEY="),
        volumes=tuple(dice.sample(["/srv/a b:/data:ro", "named:/x", "/anonymous", "/it's:/y:z,ro"], 2)),
        network=dice.choice(["", "front", "host", "container:db"]),
        restart=dice.choice(["no", "always", "unless-stopped", "on-failure", "on-failure:5"]),
        cpus=dice.choice([None, 0.5, 2.0, 1.25, 0.333]),
        memory=dice.choice([None, 512 << 20, (512 << 20) + 1, 3 << 30, 1536 << 10 << 10]),
        labels=texts("label="),
        user=dice.choice(["", "1000:1000", "www-data"]),
        workdir=dice.choice(["", "/srv/my app"]),
        hostname=dice.choice(["", "inside"]),
        interactive=dice.random() < 0.5,
        tty=dice.random() < 0.5,
        remove=dice.random() < 0.5,
        start=dice.random() < 0.5,
        more=tuple(dice.sample(_MORE, 3)),
    )


@pytest.mark.parametrize("seed", range(20))
def test_what_is_written_is_read_the_same(seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(100):
        spec = some(dice)
        line = line_of(spec)
        assert read_line(line) == spec, line
        assert read_line(line.replace(" -e ", " \\\n  -e ")) == spec


def test_lines_as_people_write_them() -> None:
    spec = read_line(
        """$ sudo docker run -dit --rm -p80:80 --publish=443:443 -eA=1 --env B="two words" \\
             -v "/srv/my data:/data:ro" --net front -m 1.5g --cpus=0.5 --name web -u 0 \\
             --mount type=bind,source=/etc/x,target=/x,readonly --mount type=volume,dst=/y \\
             --pull=always -P nginx:1.27 nginx -g 'daemon off;' -p 1:1"""
    )
    assert spec == RunSpec(
        image="nginx:1.27",
        name="web",
        command=("nginx", "-g", "daemon off;", "-p", "1:1"),
        ports=("80:80", "443:443"),
        environment=("A=1", "B=two words"),
        volumes=("/srv/my data:/data:ro", "/etc/x:/x:ro", "/y"),
        network="front",
        cpus=0.5,
        memory=3 << 29,
        user="0",
        interactive=True,
        tty=True,
        remove=True,
        more=("--publish-all",),
    )
    assert read_line("podman container create --init=false --tty=true x") == RunSpec(image="x", tty=True, start=False)
    assert read_line("docker run --entrypoint '' x").entrypoint == ("",)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "begins with docker run"),
        ("ls -l", "begins with docker run"),
        ("docker ps", "only run and create"),
        ("docker run", "names no image"),
        ("docker run -d", "names no image"),
        ("docker run --name", "--name wants a value"),
        ("docker run --frobnicate x", "--frobnicate is not known"),
        ("docker run -Q x", "-Q is not known"),
        ("docker run --env-file .env x", "put the file's lines"),
        ("docker run -v $PWD:/x x", "$PWD is for a shell"),
        ('docker run -v "$(pwd)":/x x', "$(pwd) is for a shell"),
        ("docker run -v ~/x:/x x", "~ is for a shell"),
        ("docker run -v ./x:/x x", "write the whole path"),
        ("docker run x | less", "the line goes on behind |"),
        ("docker run x && docker ps", "the line goes on behind &"),
        ("docker run --name 'x", "a quote is not closed"),
        ("docker run -p 99999:80 x", "ports are 1 to 65535"),
        ("docker run -p a:80 x", "write it as 8080:80"),
        ("docker run -p 8000-8001:80-89 x", "not of one length"),
        ("docker run -e A x", "has no value"),
        ("docker run -m 3 x", "the least memory is 6m"),
        ("docker run -m lots x", "is no size"),
        ("docker run --cpus none x", "no number of cores"),
        ("docker run --restart sometimes x", "unless-stopped"),
        ("docker run --rm=perhaps x", "true or false"),
        ("docker run --ulimit nofile x", "--ulimit: nofile: write it as"),
        ("docker run --network a --network b x", "two networks"),
        ("docker run --mount type=npipe,target=/x x", "is not read"),
        ("docker run --name a/b x", "letters, digits"),
    ],
)
def test_what_cannot_be_read_says_why(line: str, reason: str) -> None:
    with pytest.raises(LineError) as error:
        read_line(line)
    assert reason in str(error.value)
    assert "\n" not in str(error.value)


def test_other_options_are_taken_with_a_blank_or_an_equals_sign() -> None:
    assert read_more(("--cap-add NET_ADMIN", "--privileged", "--dns=1.1.1.1 --dns 8.8.8.8")) == (
        "--cap-add=NET_ADMIN",
        "--privileged",
        "--dns=1.1.1.1",
        "--dns=8.8.8.8",
    )
    for bad in ("cap-add", "--name x", "--frobnicate", "--shm-size lots", "--cap-add"):
        with pytest.raises(LineError):
            read_more((bad,))


def test_words_in_a_line_are_quoted_for_a_shell() -> None:
    line = line_of(RunSpec("x", command=("sh", "-c", "echo $HOME; ls"), environment=("A=it's",)), "podman")
    assert shlex.split(line) == ["podman", "run", "-d", "-e", "A=it's", "x", "sh", "-c", "echo $HOME; ls"]
    assert "'echo $HOME; ls'" in line


def test_a_body_says_what_the_spec_says() -> None:
    body = body_of(
        RunSpec(
            image="x",
            ports=("127.0.0.1:8000-8001:80-81", "53/udp"),
            volumes=("named:/x:ro", "/anonymous"),
            more=(
                "--health-cmd=true",
                "--health-interval=1m30s",
                "--gpus=all",
                "--device=/dev/fuse",
                "--platform=linux/amd64",
            ),
        )
    )
    assert body.host["PortBindings"] == {
        "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}],
        "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8001"}],
        "53/udp": [{"HostIp": "", "HostPort": ""}],
    }
    assert set(body.config["ExposedPorts"]) == {"80/tcp", "81/tcp", "53/udp"}
    assert body.host["Binds"] == ["named:/x:ro"]
    assert body.config["Volumes"] == {"/anonymous": {}}
    assert body.config["Healthcheck"] == {"Test": ["CMD-SHELL", "true"], "Interval": 90 * 10**9}
    assert body.host["DeviceRequests"] == [{"Driver": "", "Count": -1, "Capabilities": [["gpu"]]}]
    assert body.host["Devices"] == [
        {"PathOnHost": "/dev/fuse", "PathInContainer": "/dev/fuse", "CgroupPermissions": "rwm"}
    ]
    assert body.platform == "linux/amd64"

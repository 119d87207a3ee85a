"""An existing container's settings shown and made anew, from answers shaped as Docker's and Podman's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from backends.runs.again import again, changed
from backends.runs.shown import shown
from backends.secrets import MASK

ID = "ab" * 32
VOLUME = "cd" * 32


def container(**host: Any) -> dict[str, Any]:
    return {
        "Id": ID,
        "Name": "/shop",
        "Image": "sha256:old",
        "State": {"Status": "running", "Running": True},
        "Config": {
            "Hostname": ID[:12],
            "User": "",
            "AttachStdout": True,
            "ExposedPorts": {"80/tcp": {}, "9000/tcp": {}},
            "Tty": False,
            "OpenStdin": False,
            "Env": ["DB_PASSWORD=hunter2", "MODE=a\tb", "PATH=/bin", "MULTI=1\n2"],
            "Cmd": ["serve", "--token", "t0ken"],
            "Entrypoint": ["/entry"],
            "Image": "app:1",
            "Volumes": {"/declared": {}},
            "WorkingDir": "/srv",
            "Labels": {"team": "shop", "from": "image"},
            "StopSignal": "SIGQUIT",
        },
        "HostConfig": {
            "NetworkMode": "front",
            "PortBindings": {
                "80/tcp": [{"HostIp": "", "HostPort": "8080"}, {"HostIp": "::1", "HostPort": "8081"}],
                "53/udp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
            },
            "Binds": ["/srv/data:/data:rw", "named:/named:ro"],
            "Mounts": [{"Type": "bind", "Source": "/etc/x", "Target": "/x", "BindOptions": {"Propagation": "rslave"}}],
            "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 4},
            "CpuPeriod": 50_000,
            "CpuQuota": 25_000,
            "Memory": 64 << 20,
            "MemorySwap": 128 << 20,
            "Links": ["/db:/shop/database"],
            "AutoRemove": False,
            "Privileged": True,
            **host,
        },
        "Mounts": [
            {"Type": "volume", "Name": VOLUME, "Destination": "/declared", "RW": True},
            {"Type": "volume", "Name": "named", "Destination": "/named", "RW": False},
            {"Type": "bind", "Source": "/srv/data", "Destination": "/data", "RW": True},
        ],
        "NetworkSettings": {
            "Networks": {
                "back": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}, "Aliases": [ID[:12]], "IPAddress": "10.0.0.9"},
                "front": {"IPAMConfig": None, "Aliases": ["www", ID[:12]], "MacAddress": "02:42:ac:11:00:02"},
            }
        },
    }


IMAGE = {
    "Id": "sha256:old",
    "Config": {
        "Env": ["PATH=/bin"],
        "Entrypoint": ["/entry"],
        "Cmd": ["default"],
        "WorkingDir": "/srv",
        "Labels": {"from": "image"},
        "ExposedPorts": {"9000/tcp": {}},
        "Volumes": {"/declared": {}},
        "StopSignal": "SIGQUIT",
    },
}


def test_settings_are_shown_without_the_images_and_without_secrets() -> None:
    spec = shown(container(), IMAGE).spec
    assert spec.environment == (f"DB_PASSWORD={MASK}", "MODE=a b", "MULTI=1 2")
    assert spec.command == ("serve", "--token", MASK)
    assert spec.entrypoint == ()
    assert spec.labels == ("team=shop",)
    assert spec.ports == ("8080:80", "[::1]:8081:80", "127.0.0.1::53/udp")
    assert spec.volumes == ("/srv/data:/data", "named:/named:ro", "/etc/x:/x", "/declared")
    assert (spec.cpus, spec.memory, spec.restart) == (0.5, 64 << 20, "on-failure:4")
    assert (spec.network, spec.hostname, spec.workdir, spec.user) == ("front", "", "", "")
    assert "hunter2" not in str(spec)
    assert "t0ken" not in str(spec)


def test_made_anew_it_keeps_what_the_form_has_no_word_for() -> None:
    made = again(container(), IMAGE, None)
    config, host = made.body.config, made.body.host
    assert made.name == "shop"
    assert config["Env"] == ["DB_PASSWORD=hunter2", "MODE=a\tb", "MULTI=1\n2"]
    assert config["Cmd"] == ["serve", "--token", "t0ken"]
    assert config["ExposedPorts"] == {"80/tcp": {}}
    for key in ("Hostname", "Entrypoint", "WorkingDir", "StopSignal", "AttachStdout"):
        assert key not in config
    assert host["Privileged"] is True
    assert host["Links"] == ["db:database"]
    assert host["Binds"] == ["/srv/data:/data:rw", "named:/named:ro", f"{VOLUME}:/declared"]
    assert host["Mounts"][0]["BindOptions"] == {"Propagation": "rslave"}
    assert (host["CpuQuota"], host["MemorySwap"]) == (25_000, 128 << 20)
    assert list(made.networks) == ["front", "back"]
    assert made.networks == {"front": {"Aliases": ["www"]}, "back": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}}}


def test_only_what_was_edited_changes() -> None:
    before = shown(container(), IMAGE).spec
    wanted = replace(
        before,
        environment=(f"DB_PASSWORD={MASK}", "NEW=1"),
        volumes=("/srv/data:/data", "/etc/x:/x", "/declared", "more:/more"),
        cpus=2.0,
        memory=256 << 20,
        network="side",
        user="1000",
    )
    assert changed(before, wanted) == ["environment", "volumes", "network", "cpus", "memory", "user"]
    made = again(container(), IMAGE, wanted)
    config, host = made.body.config, made.body.host
    assert config["Env"] == ["DB_PASSWORD=hunter2", "NEW=1"]
    assert host["Binds"] == ["/srv/data:/data:rw", f"{VOLUME}:/declared", "more:/more"]
    assert [mount["Source"] for mount in host["Mounts"]] == ["/etc/x"]
    assert host["NanoCpus"] == 2 * 10**9
    assert "CpuQuota" not in host
    assert host["Memory"] == 256 << 20
    assert "MemorySwap" not in host
    assert made.networks == {"side": {"Aliases": ["www"]}, "back": {"IPAMConfig": {"IPv4Address": "10.0.0.9"}}}
    assert config["User"] == "1000"


@pytest.mark.parametrize(
    "edit",
    [
        {"environment": (f"OTHER_PASSWORD={MASK}",)},
        {"command": ("serve", "--port", "1", "--token", MASK)},
        {"labels": (f"api_key={MASK}",)},
    ],
)
def test_a_mask_stands_for_a_known_secret_only(edit: dict[str, Any]) -> None:
    before = shown(container(), IMAGE).spec
    with pytest.raises(ValueError, match="mask"):
        again(container(), IMAGE, replace(before, **edit))


def test_a_container_in_anothers_network_has_no_network_of_its_own() -> None:
    made = again(container(NetworkMode="container:db"), IMAGE, None)
    assert made.networks == {}
    assert again(container(NetworkMode="host"), IMAGE, None).networks == {}


def test_without_its_image_every_setting_counts_as_its_own() -> None:
    made = again(container(), None, None)
    assert made.body.config["Entrypoint"] == ["/entry"]
    assert "PATH=/bin" in made.body.config["Env"]


def test_an_unnamed_volume_of_a_mount_stays_attached_as_a_mount() -> None:
    answer = container(Mounts=[{"Type": "volume", "Target": "/declared"}], Binds=None)
    made = again(answer, IMAGE, None)
    assert made.body.host["Mounts"] == [{"Type": "volume", "Target": "/declared", "Source": VOLUME}]
    assert not made.body.host["Binds"]


def test_what_was_said_to_be_nothing_does_not_become_the_images() -> None:
    answer = container()
    answer["Config"] |= {"Entrypoint": None, "WorkingDir": "/"}
    config = again(answer, IMAGE, None).body.config
    assert config["Entrypoint"] == [""]
    assert config["WorkingDir"] == "/"


@pytest.mark.parametrize("name", ["ab", "abab"])
def test_a_name_that_happens_to_begin_as_the_id_does_is_kept(name: str) -> None:
    answer = container()
    answer["Config"]["Hostname"] = name
    answer["NetworkSettings"]["Networks"]["front"]["Aliases"] = [name, ID[:12]]
    made = again(answer, IMAGE, None)
    assert made.body.config["Hostname"] == name
    assert made.networks["front"] == {"Aliases": [name]}
    assert shown(answer, IMAGE).spec.hostname == name


def test_podman_keeps_the_stop_signal_the_log_driver_and_the_place_in_the_oom_queue() -> None:
    answer = container(LogConfig={"Type": "journald", "Config": None}, OomScoreAdj=100)
    answer["Config"]["StopSignal"] = 2
    made = again(answer, IMAGE, None, podman=True)
    assert made.body.config["StopSignal"] == "2"
    assert made.body.host["LogConfig"] == {"Type": "journald", "Config": {}}
    assert made.body.host["OomScoreAdj"] == 100

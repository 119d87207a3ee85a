"""What an engine refused, in one line that still says why where a line is short."""

import pytest

from backends.docker.errors import action_error
from backends.docker.locate import Endpoint


class Answer:
    status_code = 400
    text = ""


class Refusal(Exception):
    response = Answer()

    def __init__(self, explanation: str) -> None:
        super().__init__(explanation)
        self.explanation = explanation


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container "
            'process: exec: "nosuch": executable file not found in $PATH: unknown',
            'it cannot be started: exec: "nosuch": executable file not found in $PATH',
        ),
        (
            "OCI runtime create failed: container_linux.go:380: starting container process caused: chdir to cwd "
            '("/nowhere") set in config.json failed: no such file or directory: unknown',
            'it cannot be started: chdir to cwd ("/nowhere") set in config.json failed: no such file or directory',
        ),
        ("OCI runtime create failed: something new: unknown", "OCI runtime create failed: something new: unknown"),
        ("Error response from daemon: No such container: web", "No such container: web"),
    ],
)
def test_the_reason_comes_first(said, shown):
    assert str(action_error(Refusal(said), Endpoint("unix:///run/docker.sock", "default"))) == shown

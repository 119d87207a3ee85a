"""The helper process: its program, its lines, and its ends, without a VirtualBox."""

from __future__ import annotations

import ast
import asyncio
import os
import sys
from pathlib import Path

import pytest

from backends.virtualbox import helper
from backends.virtualbox.process import HelperGone, HelperProcess, HelperRefused

TIMEOUT = 30.0


def test_the_program_needs_only_the_standard_library_of_python_3_8() -> None:
    tree = ast.parse(Path(helper.__file__).read_text(), feature_version=(3, 8))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert imported - set(sys.stdlib_module_names) == {"virtualbox", "vboxapi"}


async def test_an_interpreter_without_the_binding_says_so(tmp_path: Path) -> None:
    # -S: without site-packages, whatever is installed there
    process = HelperProcess([sys.executable, "-S"], {"PYTHONPATH": str(tmp_path)})
    await process.start()
    try:
        with pytest.raises(HelperRefused, match="no module vboxapi") as refused:
            await process.ask("hello", TIMEOUT, site="", listen=True)
        assert refused.value.kind == "binding"
        with pytest.raises(HelperRefused, match="hello comes first"):
            await process.ask("list_all", TIMEOUT)
    finally:
        await process.end()


async def test_a_binding_without_pyvbox_and_one_that_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "vboxapi.py").write_text(
        "print('noise on stdout')\n"
        "class VirtualBoxManager:\n"
        "    def __init__(self, *_):\n"
        "        raise ImportError('version GLIBC_2.38 not found')\n"
    )
    process = HelperProcess([sys.executable, "-S"], {"PYTHONPATH": str(tmp_path)})
    await process.start()
    try:
        with pytest.raises(HelperRefused, match="cannot import pyvbox") as refused:
            await process.ask("hello", TIMEOUT, site="/nonexistent", listen=True)
        assert refused.value.kind == "library"
        import virtualbox

        site = str(Path(virtualbox.__file__).parent.parent)
        with pytest.raises(HelperRefused, match=r"native library.*GLIBC_2\.38") as refused:
            await process.ask("hello", TIMEOUT, site=site, listen=True)
        assert refused.value.kind == "binding"
    finally:
        await process.end()


async def test_it_ends_by_itself_when_its_stdin_ends() -> None:
    process = HelperProcess([sys.executable], {})
    await process.start()
    pid = process.pid
    assert pid is not None
    await asyncio.wait_for(process.end(), TIMEOUT)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(HelperGone, match="closed"):
        await process.ask("list_all", TIMEOUT)
    with pytest.raises(HelperGone, match="closed"):
        await process.next_event()


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("import sys; sys.exit(7)", "status 7"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
        ("print('not JSON', flush=True); import time; time.sleep(60)", "cannot be read"),
        ("print('[1]', flush=True); import time; time.sleep(60)", "cannot be read"),
        ("print('x' * 40_000_000, flush=True); import time; time.sleep(60)", "cannot be read"),
    ],
)
async def test_a_program_that_is_no_helper_is_told_from_one(program: str, reason: str, tmp_path: Path) -> None:
    # Stands where the interpreter stands: it ignores the helper's program and speaks for itself.
    script = tmp_path / "python"
    script.write_text(f"#!{sys.executable}\n{program}\n")
    script.chmod(0o755)
    process = HelperProcess([str(script)], {})
    await process.start()
    try:
        with pytest.raises(HelperGone, match=reason):
            await process.ask("hello", TIMEOUT, site="", listen=True)
        with pytest.raises(HelperGone, match=reason):
            await process.next_event()
    finally:
        await asyncio.wait_for(process.end(), TIMEOUT)


async def test_a_program_that_never_answers_runs_into_the_timeout_and_is_ended() -> None:
    process = HelperProcess(["/bin/sh", "-c", "exec sleep 1000"], {})
    await process.start()
    with pytest.raises(TimeoutError):
        await process.ask("hello", 0.2, site="", listen=True)
    await asyncio.wait_for(process.end(), TIMEOUT)
    assert process.pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


async def test_no_such_program() -> None:
    process = HelperProcess(["/nonexistent/python"], {})
    with pytest.raises(HelperGone, match="No such file"):
        await process.start()
    await process.end()

"""`python -m tests.bench`: measure boxtop, and lazydocker beside it, and write the table."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.bench.accounting import wait_quiet
from tests.bench.engine import BenchEngine
from tests.bench.logs import LogFigures, measure_logs
from tests.bench.measure import QUICK, Figures, Lengths, measure
from tests.bench.programs import SUBJECTS, Subject
from tests.bench.report import document, log_table, table, vm_table
from tests.bench.vms import VmEngines, VmFigures, measure_vms, vms_missing
from tests.engines.docker_engine import missing

TABLE = Path("docs/benchmarks.md")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--containers", default="10,50,200", help="numbers of containers (default: %(default)s)")
    parser.add_argument("--programs", default="boxtop,lazydocker", help=f"of {', '.join(SUBJECTS)}")
    parser.add_argument("--runs", type=int, default=3, help="of each program with each number (default: 3)")
    parser.add_argument(
        "--quick", action="store_true", help="one short run of each, printed only: does it work at all?"
    )
    parser.add_argument("--vms", action="store_true", help="only what many VMs cost boxtop, printed only")
    parser.add_argument("--screens", type=Path, help="folder to keep the idle screen of each run in")
    arguments = parser.parse_args()
    lengths, runs = (QUICK, 1) if arguments.quick else (Lengths(), arguments.runs)
    if arguments.vms:
        if reason := vms_missing():
            parser.error(reason)
        print(vm_table(_measure_vms(SUBJECTS["boxtop"](), runs, lengths)))
        return
    reason = missing()
    if reason:
        parser.error(reason)
    subjects, notes = _subjects(arguments.programs.split(","), parser)
    counts = [int(count) for count in arguments.containers.split(",")]
    engine = BenchEngine(Path(tempfile.mkdtemp(prefix="bx-", dir="/tmp")))
    figures: list[Figures] = []
    logs: LogFigures | None = None
    vms: list[VmFigures] = []
    try:
        engine.start()
        version = str(engine.docker.client.version()["Version"])
        for count in counts:
            figures += _measure_all(subjects, engine, count, runs, lengths, notes)
        own = next((subject for subject in subjects if subject.name == "boxtop"), None)
        if own is not None:
            print("boxtop, logs", file=sys.stderr)
            wait_quiet(patience=lengths.patience)
            logs = measure_logs(own, engine.docker)
    finally:
        engine.stop()
    if own is not None and (reason := vms_missing()):
        notes.append(f"Many VMs were not measured: {reason}.")
    elif own is not None:
        vms = _measure_vms(own, runs, lengths)
    if arguments.screens:
        arguments.screens.mkdir(parents=True, exist_ok=True)
        for number, figure in enumerate(figures):
            (arguments.screens / f"{figure.program}-{figure.containers}-{number}.txt").write_text(figure.screen + "\n")
    programs = [(subject.name, subject.version) for subject in subjects]
    if arguments.quick:
        print(table(figures, [name for name, _ in programs], counts))
        print(log_table(logs) if logs else "")
        print(vm_table(vms) if vms else "")
    else:
        extra = "".join(f"\n{part}" for part in (log_table(logs) if logs else "", vm_table(vms) if vms else "") if part)
        TABLE.write_text(document(figures, programs, counts, version, notes, extra))
        print(f"written to {TABLE}")


def _subjects(names: list[str], parser: argparse.ArgumentParser) -> tuple[list[Subject], list[str]]:
    subjects, notes = [], []
    for name in names:
        if name not in SUBJECTS:
            parser.error(f"--programs: {name!r} is none of {', '.join(SUBJECTS)}")
        subject = SUBJECTS[name]()
        if subject is None:
            notes.append(f"{name} could not be installed here.")
        else:
            subjects.append(subject)
    return subjects, notes


def _measure_vms(subject: Subject | None, runs: int, lengths: Lengths) -> list[VmFigures]:
    assert subject is not None
    print("boxtop, many VMs", file=sys.stderr)
    directory = Path(tempfile.mkdtemp(prefix="bx-vms-", dir="/tmp"))
    engines = VmEngines(directory)
    try:
        engines.start()
        return measure_vms(subject, engines, runs, lengths)
    finally:
        engines.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _measure_all(
    subjects: list[Subject], engine: BenchEngine, count: int, runs: int, lengths: Lengths, notes: list[str]
) -> list[Figures]:
    """Programs take turns, so that what else the machine does hits all alike."""
    figures = []
    engine.have(count)
    wait_quiet(patience=lengths.patience)
    baseline = engine.load(lengths.idle)
    for number in range(runs):
        for subject in subjects:
            print(f"{subject.name}, {count} containers, run {number + 1} of {runs}", file=sys.stderr)
            try:
                figures.append(measure(subject, engine, count, baseline, lengths))
            except RuntimeError as error:
                print(error, file=sys.stderr)
                notes.append(f"{subject.name} ended by itself with {count} containers.")
            engine.have(count)
    return figures


if __name__ == "__main__":
    main()

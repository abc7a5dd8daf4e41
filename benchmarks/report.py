"""The results, as tables and as JSON."""

import os
import platform
import statistics
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import pyvips
from msgspec import Struct
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from benchmarks.bench import Bench, Result, Row, Verdict
from benchmarks.processes import MEGABYTE

HEADINGS = ("contender", "req/s", "p50 ms", "p99 ms", "peak MB", "bytes", "SSIM", "SSIMU2", "errors")
LIBRARIES = ("tintype", "pyvips", "granian", "uvloop", "pillow")


class Machine(Struct, frozen=True):
    """Where and when it was measured, and with what."""

    date: str
    processor: str
    cores: int
    kernel: str
    python: str
    versions: dict[str, str]


class Report(Struct, frozen=True):
    """A whole run."""

    machine: Machine
    seconds: float
    rounds: int
    results: list[Result]
    missing: tuple[str, ...]


def machine(bench: Bench) -> Machine:
    """This machine now."""
    libvips = ".".join(str(pyvips.version(part)) for part in range(3))
    return Machine(
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        kernel=platform.release(),
        python=platform.python_version(),
        versions={name: version(name) for name in LIBRARIES} | {"libvips": libvips} | bench.tools.versions(),
    )


def show(result: Result, console: Console) -> None:
    """One cell as a table, and below it what is claimed of it."""
    console.print(result.title, style="bold", highlight=False)
    if result.rows:
        console.print(_table(result))
    for verdict in result.verdicts:
        console.print(f"  {_judgement(verdict)}  {verdict.said}  {_target(verdict)}", highlight=False)
    for note in result.notes:
        console.print(f"  {note}", style="dim", highlight=False)
    console.print()


def _table(result: Result) -> Table:
    table = Table(box=SIMPLE, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, no_wrap=True, justify="left" if heading == HEADINGS[0] else "right")
    for row in result.rows:
        table.add_row(*_cells(row))
    return table


def markdown(report: Report) -> str:
    """The run as the tables of benchmarks/README.md."""
    return "\n".join(_markdown(report))


def _markdown(report: Report) -> Iterator[str]:
    told, tools = (
        report.machine,
        ", ".join(f"{name} {said}" for name, said in report.machine.versions.items()),
    )
    yield f"Measured {told.date} on {told.cores} cores of {told.processor}, Python {told.python}; {tools}. "
    yield f"{report.rounds} rounds of {report.seconds:g} s; rates are medians, with the least and the most."
    for result in report.results:
        yield f"\n**{result.title}**\n"
        if result.rows:
            yield f"| {' | '.join(HEADINGS)} |"
            yield "|---" * len(HEADINGS) + "|"
        yield from (f"| {' | '.join(_cells(row))} |" for row in result.rows)
        yield ""
        yield from (
            f"- {_judgement(verdict)}: {verdict.said} {_target(verdict)}".rstrip()
            for verdict in result.verdicts
        )
        yield from (f"- {note}" for note in result.notes)
    yield from (f"\nLeft out, as it could not be had: {reason}" for reason in report.missing)


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.contender,
        _rate(row),
        _number([sample.p50_ms for sample in row.samples]),
        _number([sample.p99_ms for sample in row.samples]),
        "" if row.peak is None else f"{row.peak / MEGABYTE:.0f}",
        "" if row.bytes is None else f"{row.bytes:,.0f}",
        "" if row.ssim is None else f"{row.ssim:.4f}",
        "" if row.ssimulacra2 is None else f"{row.ssimulacra2:.1f}",
        str(row.errors) if row.samples else "",
    )


def _rate(row: Row) -> str:
    if not row.samples:
        return ""
    rates = [sample.rate for sample in row.samples]
    spread = f" ({_figure(min(rates))} to {_figure(max(rates))})" if len(rates) > 1 else ""
    return _figure(row.rate) + spread


def _number(values: list[float]) -> str:
    return _figure(statistics.median(values)) if values else ""


def _figure(value: float) -> str:
    """Three digits that count, or all before the point."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004  three digits


def _judgement(verdict: Verdict) -> str:
    return {True: "ok", False: "MISSED", None: "told"}[verdict.ok]


def _target(verdict: Verdict) -> str:
    return f"(to reach: {verdict.target})" if verdict.target else ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )

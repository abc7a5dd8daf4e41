"""`make bench`: compares tintype with other services and with its own pipeline, in one run on one machine."""

import sys
import tempfile
from pathlib import Path

import msgspec
import rich_click as click
from rich.console import Console

from benchmarks import peers, report
from benchmarks.bench import Bench
from benchmarks.cells import CELLS, Cell

FOLDER = Path(".bench")
WIDTH = 160
RENDERS = 2000
QUICK_SECONDS, QUICK_ROUNDS, QUICK_RENDERS, QUICK_LARGEST = 1.0, 1, 200, 12.0


@click.command(
    epilog="Cells: " + "; ".join(f"{cell.name} ({cell.measures})" for cell in CELLS) + ".",
)
@click.option("--cells", default="", help="Only these, by name, with commas between. [default: all]")
@click.option(
    "--images",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder of JPEGs and PNGs to measure with besides the generated ones.",
)
@click.option("--against", help="A revision of this repository that the cell `before` compares with.")
@click.option("--seconds", default=5.0, show_default=True, help="How long one load lasts.")
@click.option("--rounds", default=3, show_default=True, help="How often each contender has its turn.")
@click.option(
    "--renders", default=RENDERS, show_default=True, help="Renders that the memory is watched over."
)
@click.option(
    "--largest", default=50.5, show_default=True, help="The most megapixels of generated originals."
)
@click.option(
    "--quick", is_flag=True, help="One round of a second, up to 12 megapixels: does it work at all?"
)
@click.option(
    "--json",
    "json_to",
    type=click.Path(path_type=Path, dir_okay=False),
    default=FOLDER / "results.json",
    show_default=True,
    help="Where everything that was measured is written.",
)
@click.option("--markdown", is_flag=True, help="Print the tables as benchmarks/README.md has them.")
def main(  # noqa: PLR0913  an option each
    *,
    cells: str,
    images: Path | None,
    against: str | None,
    seconds: float,
    rounds: int,
    renders: int,
    largest: float,
    quick: bool,
    json_to: Path,
    markdown: bool,
) -> None:
    """Measure tintype beside thumbor, ipx, nginx and a bare loop over its own library.

    Peers are installed into .bench, where the generated originals are kept too; nothing else of this machine
    is changed. Contenders take turns, so leave the machine alone meanwhile. The exit status is 1 when a
    target is missed.
    """
    if quick:
        seconds, rounds, renders = QUICK_SECONDS, QUICK_ROUNDS, QUICK_RENDERS
        largest = min(largest, QUICK_LARGEST)
    console = _console(stderr=markdown)
    chosen = _chosen(cells)
    folder = FOLDER.resolve()
    tools = peers.install(folder)
    for reason in tools.missing:
        console.print(f"Left out, as it can't be had: {reason}", style="yellow")
    results = []
    with tempfile.TemporaryDirectory(dir=folder, prefix="run-") as work:
        bench = Bench(
            folder / "pictures", Path(work), tools, seconds, rounds, renders, largest, images, against
        )
        for cell in chosen:
            for result in cell.measure(bench):
                report.show(result, console)
                results.append(result)
        done = report.Report(report.machine(bench), seconds, rounds, results, tools.missing)
    json_to.parent.mkdir(parents=True, exist_ok=True)
    json_to.write_bytes(msgspec.json.format(msgspec.json.encode(done), indent=2) + b"\n")
    if markdown:
        click.echo(report.markdown(done))
    if any(verdict.ok is False for result in results for verdict in result.verdicts):
        sys.exit(1)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr)
    # Wide enough not to be folded where the output is a file or a pipe.
    return console if console.is_terminal else Console(stderr=stderr, width=WIDTH)


def _chosen(names: str) -> list[Cell]:
    known = {cell.name: cell for cell in CELLS}
    asked = [name.strip() for name in names.split(",") if name.strip()] or list(known)
    unknown = [name for name in asked if name not in known]
    if unknown:
        raise click.BadParameter(
            f"no cell is called {unknown[0]}; there are {', '.join(known)}", param_hint="--cells"
        )
    return [known[name] for name in asked]


if __name__ == "__main__":
    main()

"""`tintype render`: make a rendition of a file, without a library."""

import io
import sys
from pathlib import Path

import rich_click as click
from msgspec.structs import replace

from tintype.cli.arguments import parse_recipe
from tintype.cli.library import plain_errors
from tintype.core.runtime.renderers import open_renderers
from tintype.core.runtime.settings import RendererSettings
from tintype.imaging import Format, ImageRefused, Limits, OutputLimits, Recipe, extension_fits, spec
from tintype.imaging.sandbox.messages import Rendered
from tintype.imaging.sandbox.pool import OWN_MEMORY, Allowance

STANDARD_OUTPUT = "-"


@click.command("render")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("target", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("params", nargs=-1)
@plain_errors
def render_file(source: Path, target: Path, params: tuple[str, ...]) -> None:
    """Make a rendition of a file, as the service does; no library is needed.

    SOURCE is the file to read, TARGET the file to write (its extension is the format), or - for standard
    output. PARAMS are the recipe, each NAME=VALUE:

    mode=fit|fit-exact|cover|cover-exact|scale, w=PIXELS, h=PIXELS, dpr=2, enlarge=no, focal=0.3x0.5,
    crop=attention|entropy, background=ff8800, format=webp, q=1..100, lossless=yes, max-bytes=20000,
    frames=1, linear=yes

    Example: tintype render photo.jpg small.webp w=400 h=300 mode=cover-exact crop=attention
    """
    recipe = parse_recipe(params)
    if recipe.format is None and not recipe.auto and str(target) != STANDARD_OUTPUT:
        recipe = replace(recipe, format=_format(target))
    try:
        data, rendered = _render(source, recipe)
    except (ImageRefused, ValueError) as refused:
        raise click.ClickException(str(refused)) from refused
    _write(data, rendered, target)


def _format(target: Path) -> Format:
    for format in Format:
        if spec(format).saver is not None and extension_fits(format, target.suffix):
            return format
    raise click.UsageError(f"{target.name} has no extension of a format that can be written; add format=…")


def _render(source: Path, recipe: Recipe) -> tuple[bytes, Rendered]:
    """Render in a sandbox, as the service does: the file may be hostile here too."""
    if recipe.auto:
        raise ValueError("format=auto needs a client: give a format.")
    settings = RendererSettings()
    memory = settings.memory_bytes - OWN_MEMORY
    pool = open_renderers(settings, 1, memory, arenas=1)
    try:
        with source.open("rb") as file:
            result = pool.render(
                file.fileno(), recipe, OutputLimits(), Limits(), Allowance(memory), io.BytesIO
            )
    finally:
        pool.close()
    return (result.file.getvalue() if result.file else result.data or b""), result.made


def _write(data: bytes, rendered: Rendered, target: Path) -> None:
    if str(target) == STANDARD_OUTPUT:
        sys.stdout.buffer.write(data)
        return
    target.write_bytes(data)
    size = f"{rendered.width}x{rendered.height} pixels, {len(data)} bytes"
    click.echo(f"{target}: {spec(rendered.format).name}, {size}", err=True)

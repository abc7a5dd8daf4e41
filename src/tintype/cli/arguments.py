"""Arguments and output of commands: recipes as NAME=VALUE, and names that are safe to print."""

from collections.abc import Sequence

import rich_click as click

from tintype.imaging import Recipe, parse_params


def printable(name: object) -> str:
    """A name for a terminal: characters that are not printable, such as escapes, are written in hex."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in str(name))


def parse_recipe(arguments: Sequence[str]) -> Recipe:
    """Parse a recipe from arguments of the form NAME=VALUE.

    Raises:
        UsageError: when an argument is not valid; it names it.
    """
    pairs = [argument.partition("=") for argument in arguments]
    for name, equals, _ in pairs:
        if not equals:
            raise click.UsageError(f"{name!r} has no value: write NAME=VALUE, such as w=400.")
    try:
        return parse_params({name: value for name, _, value in pairs})
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from wrong

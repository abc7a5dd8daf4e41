"""Words on the command line: recipes as NAME=VALUE, and names as a terminal may show them."""

from collections.abc import Sequence

import rich_click as click

from tintype.imaging import Recipe, parse_params


def printable(name: object) -> str:
    """A name without what would move the cursor, or do more: such characters are shown by their numbers."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in str(name))


def read_recipe(words: Sequence[str]) -> Recipe:
    """The recipe that the arguments say.

    Raises:
        UsageError: with the word at fault.
    """
    pairs = [word.partition("=") for word in words]
    for name, equals, _ in pairs:
        if not equals:
            raise click.UsageError(f"{name!r} says nothing: write NAME=VALUE, such as w=400.")
    try:
        return parse_params({name: value for name, _, value in pairs})
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from wrong

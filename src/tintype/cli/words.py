"""Recipes on the command line: NAME=VALUE, in the words of the canonical form."""

from collections.abc import Sequence

import rich_click as click

from tintype.imaging import Recipe, from_words


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
        return from_words({name: value for name, _, value in pairs})
    except ValueError as wrong:
        raise click.UsageError(str(wrong)) from wrong

"""Arguments and output of commands: images, recipes as NAME=VALUE, and names that are safe to print."""

import re
from collections.abc import Sequence
from uuid import UUID

import rich_click as click

from tintype.imaging import Recipe, parse_params
from tintype.model import Invalid
from tintype.model.ids import parse_short, parse_uuid

_NUMBER = re.compile(r"[0-9]{1,19}\Z")


def printable(name: object) -> str:
    """A name for a terminal: characters that are not printable, such as escapes, are written in hex."""
    return "".join(each if each.isprintable() else f"\\x{ord(each):02x}" for each in str(name))


def parse_image_key(text: str) -> UUID | int:
    """The id of an image, as a UUID or as its 22 characters, or its number.

    Raises:
        Invalid: when it is none of them.
    """
    key = int(text) if _NUMBER.match(text) else parse_uuid(text) or parse_short(text)
    if key is None:
        raise Invalid(f"{text}: An image is named by its id, its short id or its number.")
    return key


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

"""The `tintype` command: a group whose commands are imported when they are called."""

import importlib

import rich_click as click

from tintype import __version__

COMMANDS = {
    "serve": "tintype.cli.serve:serve",
    "demo": "tintype.cli.demo:demo",
    "init": "tintype.cli.init:init",
    "import": "tintype.cli.importing:import_images",
    "render": "tintype.cli.render:render_file",
    "link": "tintype.cli.link:make_link",
    "token": "tintype.cli.token:token",
    "account": "tintype.cli.account:account",
    "keys": "tintype.cli.keys:keys",
    "audit": "tintype.cli.audit:audit",
    "migrate": "tintype.cli.migrate:migrate",
    "check": "tintype.cli.check:check",
    "backup": "tintype.cli.backup:backup",
    "restore": "tintype.cli.restore:restore_library",
    "gc": "tintype.cli.gc:gc",
    "purge": "tintype.cli.purge:purge",
    "placeholders": "tintype.cli.placeholders:placeholders",
}


class LazyGroup(click.RichGroup):
    """Imports a command only when it is asked for: `tintype serve` should not wait for the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """All commands, in the order a newcomer needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """One command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        return command if isinstance(command, click.Command) else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tintype")
def main() -> None:
    """One library of images, served in the dialect your clients already speak.

    Begin with `tintype demo`: it makes a small library, serves it, and tells you how to ask for it.
    """

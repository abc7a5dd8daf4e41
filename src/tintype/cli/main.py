"""The `tintype` command: a group that imports a command only when it is called."""

import importlib

import rich_click as click

from tintype import __version__

COMMANDS = {
    "serve": "tintype.cli.serve:serve",
    "demo": "tintype.cli.demo:demo",
    "init": "tintype.cli.init:init",
    "import": "tintype.cli.importing:import_images",
    "list": "tintype.cli.listing:list_images",
    "attach": "tintype.cli.attach:attach",
    "detach": "tintype.cli.attach:detach",
    "render": "tintype.cli.render:render_file",
    "link": "tintype.cli.link:make_link",
    "token": "tintype.cli.token:token",
    "oauth-app": "tintype.cli.oauth_app:oauth_app",
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
    """Imports a command only when it is needed, so that no command waits for the imports of others."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  click's signature
        """The names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  click's signature
        """The command of this name; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        return command if isinstance(command, click.Command) else None


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tintype")
def main() -> None:
    """One library of images, served in the dialect your clients already speak.

    Start with `tintype demo`: it creates a small library, serves it, and shows example requests.
    """

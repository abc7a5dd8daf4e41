"""Alembic's entry: migrations run on the connection that `upgrade.to_head` hands over."""

from alembic import context

from tintype.catalogue.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
context.run_migrations()

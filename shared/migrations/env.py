"""How a migration runs, for every service: on the connection given, in one transaction."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=context.config.attributes["metadata"],
    compare_type=True,
    compare_server_default=False,
)
with context.begin_transaction():
    context.run_migrations()

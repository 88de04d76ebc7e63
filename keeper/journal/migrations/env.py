"""How Alembic runs here: on the connection, and in the transaction, of whoever opens the journal."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    transactional_ddl=True,
    render_as_batch=True,
)
context.run_migrations()

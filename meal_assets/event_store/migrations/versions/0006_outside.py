"""What consumers remember of services outside: which recipes they read there, and what they are sending."""

from alembic import op

revision = "0006"
down_revision = "0005"

OUTSIDE = """
CREATE TABLE log.tandoor_recipes (
    household text NOT NULL,
    number    bigint NOT NULL,
    mark      text NOT NULL,
    position  bigint NOT NULL,
    field     text,
    reason    text,
    PRIMARY KEY (household, number)
);
CREATE TABLE log.tandoor_syncs (
    household text PRIMARY KEY,
    position  bigint NOT NULL,
    read      integer NOT NULL,
    of        integer NOT NULL,
    full_at   timestamptz
) WITH (fillfactor = 50);
CREATE TABLE log.deliveries (
    message text PRIMARY KEY,
    state   text NOT NULL DEFAULT 'sending' CHECK (state IN ('sending', 'sent')),
    at      timestamptz NOT NULL DEFAULT now()
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON log.tandoor_recipes, log.tandoor_syncs, log.deliveries TO meals_app;
    END IF;
END $$;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(OUTSIDE)

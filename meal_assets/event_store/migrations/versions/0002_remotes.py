"""What all processes know of remote services: breakers, budgets, and answers kept for a while."""

from alembic import op

revision = "0002"
down_revision = "0001"

REMOTES = """
CREATE TABLE log.remotes (
    remote      text PRIMARY KEY,
    state       text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
    failures    timestamptz[] NOT NULL DEFAULT '{}',
    openings    integer NOT NULL DEFAULT 0,
    retry_at    timestamptz,
    probe_until timestamptz,
    reason      text,
    changed_at  timestamptz,
    day         date,
    used        integer NOT NULL DEFAULT 0,
    next_at     timestamptz
) WITH (fillfactor = 50);
CREATE TABLE log.http_cache (
    remote       text NOT NULL,
    key          text NOT NULL,
    status       integer NOT NULL,
    content_type text NOT NULL,
    body         bytea NOT NULL,
    expires_at   timestamptz NOT NULL,
    PRIMARY KEY (remote, key)
);
CREATE INDEX http_cache_by_age ON log.http_cache (remote, expires_at);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON log.remotes, log.http_cache TO meals_app;
    END IF;
END $$;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(REMOTES)

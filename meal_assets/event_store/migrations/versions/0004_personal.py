"""The keys of persons: without its key, a text that is encrypted in the log, in read models and in backups is gone."""

from alembic import op

revision = "0004"
down_revision = "0003"

# Who appends a text asks for its key after the append, under the append lock; who removes a key holds that lock. So no
# text is kept under a key that was removed before it: it is encrypted anew with the key that then holds, or a new one.
KEYS = """
CREATE TABLE log.person_keys (
    household  text NOT NULL,
    person     text NOT NULL,
    id         text NOT NULL UNIQUE,
    wrapped    bytea NOT NULL,
    wrapped_by bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (household, person)
);
COMMENT ON TABLE log.person_keys IS 'keys to the texts of persons, wrapped by MEALS_KEY or the file in MEALS_HOME';
CREATE FUNCTION log.require_keys(p_keys text[], p_appended bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM unnest(p_keys) AS wanted (id)
               WHERE NOT EXISTS (SELECT FROM log.person_keys k WHERE k.id = wanted.id)) THEN
        RAISE EXCEPTION 'the person was forgotten meanwhile' USING ERRCODE = 'ME006';
    END IF;
    RETURN true;
END $$;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON log.person_keys TO meals_app;
    END IF;
END $$;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(KEYS)

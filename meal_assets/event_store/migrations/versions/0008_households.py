"""Who may ask over the network, and that they see one household only, whatever the program that asks gets wrong."""

from alembic import op

revision = "0008"
down_revision = "0007"

TOKENS = """
CREATE TABLE log.tokens (
    id         text PRIMARY KEY,
    hash       bytea NOT NULL UNIQUE,
    household  text NOT NULL,
    person     text,
    scope      text NOT NULL CHECK (scope IN ('read', 'write', 'admin')),
    name       text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    used_at    timestamptz
);
COMMENT ON TABLE log.tokens IS 'who may ask over the network; hash: SHA-256 of 256 random bits, which nobody guesses';
CREATE TABLE log.requests (
    household      text NOT NULL,
    token          text NOT NULL,
    key            text NOT NULL,
    digest         bytea NOT NULL,
    correlation_id uuid NOT NULL,
    claimed_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    answer         jsonb,
    PRIMARY KEY (token, key)
);
CREATE INDEX requests_by_age ON log.requests (claimed_at);
COMMENT ON TABLE log.requests IS 'what was asked with an Idempotency-Key, and what it was answered';
"""

# PostgreSQL lets a table's owner, and whoever no restrictive policy names, see all rows: only meals_reader is bound.
# The settings are asked for once a query, as a subquery.
SEEN = """
DO $$
BEGIN
    BEGIN
        CREATE ROLE meals_reader NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
    END;
END $$;

CREATE FUNCTION log.seen_household() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('meals.household', true), '')
$$;
CREATE FUNCTION log.seen_person() RETURNS text LANGUAGE sql STABLE AS $$
    SELECT nullif(current_setting('meals.person', true), '')
$$;

CREATE FUNCTION log.let_see(p_table regclass, p_condition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_reader') THEN
        RETURN;
    END IF;
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', p_table);
    EXECUTE format('CREATE POLICY everybody ON %s USING (true) WITH CHECK (true)', p_table);
    EXECUTE format('CREATE POLICY own ON %s AS RESTRICTIVE TO meals_reader USING (%s)', p_table, p_condition);
    EXECUTE format('GRANT SELECT ON %s TO meals_reader', p_table);
END $$;
COMMENT ON FUNCTION log.let_see IS 'meals_reader may read rows that fulfil the condition, all others read as before';
"""

HOUSEHOLD = "household = (SELECT log.seen_household())"
PERSON = "((SELECT log.seen_person()) IS NULL OR {column} = (SELECT log.seen_person()))"

# Tables of read models that are there already; from here on they are made with it.
READ = f"""
DO $$
DECLARE
    t record;
BEGIN
    FOR t IN SELECT c.oid::regclass AS name, c.relname, bool_or(a.attname = 'household') AS of_household,
                    bool_or(a.attname = 'person') AS of_person
             FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
             WHERE c.relnamespace IN ('read'::regnamespace, 'shadow'::regnamespace, 'former'::regnamespace)
             AND c.relkind = 'r' GROUP BY c.oid, c.relname
    LOOP
        IF t.relname = 'dead_letters' THEN
            PERFORM log.let_see(t.name, 'split_part(event_stream, ''/'', 1) = (SELECT log.seen_household())'
                || ' AND (SELECT log.seen_person()) IS NULL');
        ELSIF t.relname = 'flags' THEN
            PERFORM log.let_see(t.name, 'household IN ('''', (SELECT log.seen_household())) AND'
                || ' ((SELECT log.seen_person()) IS NULL OR person IN ('''', (SELECT log.seen_person())))');
        ELSIF t.of_household THEN
            PERFORM log.let_see(t.name, '{HOUSEHOLD}'
                || CASE WHEN t.of_person THEN ' AND {PERSON.format(column="person")}' ELSE '' END);
        END IF;
    END LOOP;
END $$;
"""

# Functions that append run as the owner of the log: whoever only reads may not call them.
LOG = f"""
SELECT log.let_see('log.events', $${HOUSEHOLD} AND ((SELECT log.seen_person()) IS NULL
    OR coalesce(payload->>'person', (SELECT log.seen_person())) = (SELECT log.seen_person()))$$);
SELECT log.let_see('log.person_keys', $${HOUSEHOLD} AND {PERSON.format(column="person")}$$);
REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA log FROM PUBLIC;
ALTER FUNCTION log.head() SECURITY DEFINER SET search_path = log, pg_temp;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON log.tokens, log.requests TO meals_app;
        GRANT EXECUTE ON ALL ROUTINES IN SCHEMA log TO meals_app;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_reader') THEN
        GRANT USAGE ON SCHEMA log, read TO meals_reader;
        GRANT EXECUTE ON FUNCTION log.head(), log.seen_household(), log.seen_person() TO meals_reader;
        GRANT SELECT ON log.checkpoints, log.heartbeats, log.archives, log.partitions TO meals_reader;
        GRANT meals_reader TO CURRENT_USER;
    END IF;
END $$;
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    for statement in (TOKENS, SEEN, READ, LOG):
        connection.execute(statement)

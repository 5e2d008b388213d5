"""Persons' accounts at services outside: the tokens to them, what was read there, and what was written there."""

from alembic import op

revision = "0007"
down_revision = "0006"

# The days go with the connection. The entries stay: whoever connects again must not be told of their own meals twice.
CONNECTIONS = """
CREATE TABLE log.connections (
    household    text NOT NULL,
    person       text NOT NULL,
    service      text NOT NULL,
    sealed       bytea NOT NULL,
    wrapped_by   bytea NOT NULL,
    refused      text,
    connected_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (household, person, service)
);
COMMENT ON TABLE log.connections IS 'tokens of persons, encrypted with MEALS_KEY or the file in MEALS_HOME';
CREATE TABLE log.fatsecret_days (
    household text NOT NULL,
    person    text NOT NULL,
    service   text NOT NULL DEFAULT 'fatsecret',
    day       date NOT NULL,
    wanted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    read_at   timestamptz,
    PRIMARY KEY (household, person, day),
    FOREIGN KEY (household, person, service) REFERENCES log.connections ON DELETE CASCADE
);
CREATE TABLE log.fatsecret_weights (
    household text NOT NULL,
    person    text NOT NULL,
    service   text NOT NULL DEFAULT 'fatsecret',
    day       date NOT NULL,
    kg        double precision NOT NULL,
    PRIMARY KEY (household, person, day),
    FOREIGN KEY (household, person, service) REFERENCES log.connections ON DELETE CASCADE
);
CREATE TABLE log.fatsecret_entries (
    household text NOT NULL,
    person    text NOT NULL,
    day       date NOT NULL,
    entry     text NOT NULL,
    state     text NOT NULL CHECK (state IN ('making', 'made', 'gone', 'left out')),
    number    text,
    food      text,
    serving   text,
    units     double precision,
    kcal      double precision,
    reason    text,
    PRIMARY KEY (household, person, day, entry)
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE
            ON log.connections, log.fatsecret_days, log.fatsecret_weights, log.fatsecret_entries TO meals_app;
    END IF;
END $$;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(CONNECTIONS)

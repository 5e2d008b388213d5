"""Reference foods by the hash of their set, and ingredient lines as they were read: what can always be made again."""

from alembic import op

revision = "0003"
down_revision = "0002"

FOODS = """
CREATE TABLE log.foods (
    food_set    text NOT NULL,
    food        text NOT NULL,
    description text NOT NULL,
    told        text NOT NULL,
    PRIMARY KEY (food_set, food)
);
CREATE INDEX foods_by_id ON log.foods (food);
CREATE TABLE log.readings (
    reader  text NOT NULL,
    digest  bytea NOT NULL,
    reading text NOT NULL,
    PRIMARY KEY (reader, digest)
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT SELECT, INSERT ON log.foods TO meals_app;
        GRANT SELECT, INSERT, DELETE ON log.readings TO meals_app;
    END IF;
END $$;
"""


def upgrade() -> None:
    op.get_bind().connection.driver_connection.execute(FOODS)

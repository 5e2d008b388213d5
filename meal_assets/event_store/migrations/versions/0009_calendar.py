"""Tokens that read nothing but the calendar."""

from alembic import op

revision = "0009"
down_revision = "0008"

SCOPES = """
ALTER TABLE log.tokens DROP CONSTRAINT tokens_scope_check;
ALTER TABLE log.tokens ADD CONSTRAINT tokens_scope_check CHECK (scope IN ('calendar', 'read', 'write', 'admin'));
"""


def upgrade() -> None:
    op.execute(SCOPES)


def downgrade() -> None:
    raise NotImplementedError("the log only grows")

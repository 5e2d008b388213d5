"""The log and what its subscribers keep beside it."""

from alembic import op

revision = "0001"
down_revision = None

SCHEMAS = """
CREATE SCHEMA IF NOT EXISTS read;
CREATE SCHEMA IF NOT EXISTS shadow;
CREATE SCHEMA IF NOT EXISTS dagster;
COMMENT ON SCHEMA log IS 'the events, and what subscribers must not lose';
COMMENT ON SCHEMA read IS 'read models: may be dropped and rebuilt from the log at any time';
COMMENT ON SCHEMA shadow IS 'read models being rebuilt';
COMMENT ON SCHEMA dagster IS 'storage of Dagster';
"""

EVENTS = """
CREATE TABLE log.events (
    position       bigint PRIMARY KEY,
    event_id       uuid NOT NULL UNIQUE,
    stream         text NOT NULL,
    stream_version integer NOT NULL,
    type           text NOT NULL,
    version        smallint NOT NULL,
    payload        jsonb NOT NULL,
    household      text NOT NULL,
    actor          text NOT NULL,
    correlation_id uuid NOT NULL,
    causation_id   uuid,
    occurred_at    timestamptz NOT NULL,
    recorded_at    timestamptz NOT NULL,
    hash           bytea NOT NULL,
    UNIQUE (stream, stream_version)
);
CREATE INDEX events_by_type ON log.events (type, position);
CREATE INDEX events_by_correlation ON log.events (correlation_id, position);

CREATE TABLE log.once (
    key            text PRIMARY KEY,
    first_position bigint NOT NULL,
    last_position  bigint NOT NULL,
    stream_version integer NOT NULL,
    digest         bytea NOT NULL
);

CREATE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % of %.% is refused', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON log.events
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
"""

# The hash covers PostgreSQL's own text form of the payload (keys sorted, numbers normalised), which is what the
# row gives back: hashing the bytes a client sent would not survive jsonb. Times enter as microseconds, because
# their text form depends on the session.
CHAIN = """
CREATE FUNCTION log.link(previous bytea, e log.events) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        e.position, e.event_id, e.stream, e.stream_version, e.type, e.version, e.payload, e.household, e.actor,
        e.correlation_id, e.causation_id,
        (extract(epoch FROM e.occurred_at) * 1000000)::bigint, (extract(epoch FROM e.recorded_at) * 1000000)::bigint
    )::text, 'UTF8'))
$$;
CREATE AGGREGATE log.chain (log.events) (SFUNC = log.link, STYPE = bytea, INITCOND = '');
"""

# One function, one round trip, and nobody can forget the lock: it makes positions visible in the order of their
# numbers, so a reader of `position > n` can never skip one.
APPEND = """
CREATE FUNCTION log.append(
    p_stream text, p_expected integer, p_once text, p_household text, p_actor text,
    p_correlation uuid, p_causation uuid,
    p_ids uuid[], p_types text[], p_versions integer[], p_payloads jsonb[], p_occurred timestamptz[],
    OUT first_position bigint, OUT last_position bigint, OUT stream_version integer, OUT said_before boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
DECLARE
    v_digest bytea;
    v_known  log.once;
    v_head   log.events;
    v_new    log.events;
BEGIN
    PERFORM pg_advisory_xact_lock(7236835, 1);
    IF p_once IS NOT NULL THEN
        v_digest := sha256(convert_to(jsonb_build_array(p_stream, p_types, p_versions, p_payloads)::text, 'UTF8'));
        SELECT * INTO v_known FROM log.once o WHERE o.key = p_once;
        IF FOUND THEN
            IF v_known.digest <> v_digest THEN
                RAISE EXCEPTION 'once key % stands for other events', p_once USING ERRCODE = 'ME002';
            END IF;
            first_position := v_known.first_position;
            last_position := v_known.last_position;
            stream_version := v_known.stream_version;
            said_before := true;
            RETURN;
        END IF;
    END IF;
    SELECT coalesce(max(e.stream_version), 0) INTO stream_version FROM log.events e WHERE e.stream = p_stream;
    IF p_expected IS NOT NULL AND p_expected <> stream_version THEN
        RAISE EXCEPTION 'stream % is at %', p_stream, stream_version
            USING ERRCODE = 'ME001', DETAIL = stream_version::text;
    END IF;
    SELECT * INTO v_head FROM log.events e ORDER BY e.position DESC LIMIT 1;
    v_new.position := coalesce(v_head.position, 0);
    v_new.hash := coalesce(v_head.hash, '');
    first_position := v_new.position + 1;
    v_new.stream := p_stream;
    v_new.household := p_household;
    v_new.actor := p_actor;
    v_new.correlation_id := p_correlation;
    v_new.causation_id := p_causation;
    v_new.recorded_at := clock_timestamp();
    FOR i IN 1 .. cardinality(p_ids) LOOP
        v_new.position := v_new.position + 1;
        stream_version := stream_version + 1;
        v_new.stream_version := stream_version;
        v_new.event_id := p_ids[i];
        v_new.type := p_types[i];
        v_new.version := p_versions[i];
        v_new.payload := p_payloads[i];
        v_new.occurred_at := p_occurred[i];
        v_new.hash := log.link(v_new.hash, v_new);
        INSERT INTO log.events VALUES (v_new.*);
    END LOOP;
    last_position := v_new.position;
    said_before := false;
    IF p_once IS NOT NULL THEN
        INSERT INTO log.once VALUES (p_once, first_position, last_position, stream_version, v_digest);
    END IF;
    PERFORM pg_notify('meals_log', last_position::text);
END $$;
"""

SUBSCRIBERS = """
CREATE TABLE log.checkpoints (
    subscriber text PRIMARY KEY,
    version    integer NOT NULL,
    position   bigint NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE TABLE log.attempts (
    consumer   text NOT NULL,
    position   bigint NOT NULL,
    attempts   integer NOT NULL,
    error      text NOT NULL,
    next_at    timestamptz NOT NULL,
    PRIMARY KEY (consumer, position)
);
CREATE TABLE log.outbox (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    subscriber      text NOT NULL,
    version         integer NOT NULL,
    after_position  bigint NOT NULL,
    to_position     bigint NOT NULL,
    chain_head      bytea NOT NULL,
    types           jsonb NOT NULL,
    correlation_ids uuid[] NOT NULL,
    partitions      text[] NOT NULL DEFAULT '{}',
    seconds         double precision NOT NULL,
    said            jsonb NOT NULL DEFAULT '{}',
    folded_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    reported_at     timestamptz
);
CREATE INDEX outbox_unreported ON log.outbox (subscriber, id) WHERE reported_at IS NULL;
CREATE TABLE log.files (
    sha256      text PRIMARY KEY,
    content     bytea NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
"""

# Where the server does not let us make a role (a managed PostgreSQL), the triggers still stand.
ROLE = """
DO $$
BEGIN
    BEGIN
        CREATE ROLE meals_app NOLOGIN;
    EXCEPTION WHEN duplicate_object OR unique_violation OR insufficient_privilege THEN NULL;
    END;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT USAGE ON SCHEMA log TO meals_app;
        GRANT USAGE, CREATE ON SCHEMA read, shadow TO meals_app;
        GRANT SELECT ON ALL TABLES IN SCHEMA log TO meals_app;
        GRANT INSERT ON log.files TO meals_app;
        GRANT INSERT, UPDATE, DELETE ON log.checkpoints, log.attempts, log.outbox TO meals_app;
        GRANT meals_app TO CURRENT_USER;
    END IF;
END $$;
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection  # the driver's own: SQLAlchemy would read % as a parameter
    for statement in (SCHEMAS, EVENTS, CHAIN, APPEND, SUBSCRIBERS, ROLE):
        connection.execute(statement)

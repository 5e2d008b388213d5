"""The log in partitions by position, ids that callers give, and parts of the log that were put away.

What is unique in the whole log cannot be one index over partitions that does not hold the position. It is unique in
each partition by an index, and between them because positions are given out by one transaction at a time, which asks
before it writes: the version of a stream is counted on from the last, an id made here is new by construction, and one
that a caller gives is looked up.

It is one long file because a migration is one moment: every function that it replaces has to change together.
"""

from alembic import op

revision = "0005"
down_revision = "0004"


FIELDS = """position, event_id, stream, stream_version, type, version, payload, household, actor, correlation_id,
           causation_id, occurred_at, recorded_at"""

PARTITION_SIZE = 2_000_000
"""Positions of a partition: some 2 GB with its indexes, so that one is archived in minutes and vacuumed in seconds."""

# What there is becomes the first partition as it is: no row is written anew, and its indexes stay.
CONVERT = """
LOCK TABLE log.events IN ACCESS EXCLUSIVE MODE;
DROP TRIGGER append_only ON log.events;
ALTER TABLE log.events RENAME TO events_1;
DO $$
DECLARE
    v_name text;
BEGIN
    FOR v_name IN SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'log.events_1'::regclass LOOP
        EXECUTE format('ALTER INDEX %s RENAME TO %I', v_name,
                       regexp_replace(split_part(v_name, '.', 2), '^events_', 'events_1_'));
    END LOOP;
END $$;
CREATE TABLE log.events (LIKE log.events_1 INCLUDING DEFAULTS INCLUDING COMMENTS, PRIMARY KEY (position))
    PARTITION BY RANGE (position);
CREATE INDEX events_by_type ON log.events (type, position);
CREATE INDEX events_by_correlation ON log.events (correlation_id, position);
CREATE INDEX events_by_flag ON log.events ((payload->>'flag'), position) WHERE type = 'system.FlagSet';
CREATE INDEX events_by_decision ON log.events ((payload->>'consumer'), position)
    WHERE type IN ('system.DeadLetterRetried', 'system.DeadLetterDiscarded');
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON log.events
    FOR EACH ROW EXECUTE FUNCTION log.refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON log.events
    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change();
DO $$
DECLARE
    g record;
BEGIN
    FOR g IN SELECT CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS who,
                    a.privilege_type AS what, CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS option
             FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
             WHERE c.oid = 'log.events_1'::regclass AND a.grantee <> c.relowner
    LOOP
        EXECUTE format('GRANT %s ON log.events TO %s%s', g.what, g.who, g.option);
        EXECUTE format('REVOKE %s ON log.events_1 FROM %s', g.what, g.who);
    END LOOP;
END $$;
"""

# `head_from`: the head is there or above; `next_at`: an append that reaches it makes the next partition.
PARTITIONS = f"""
CREATE FUNCTION log.partition_size() RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT {PARTITION_SIZE}::bigint';
CREATE TABLE log.partitions (
    first     bigint PRIMARY KEY,
    last      bigint NOT NULL,
    head_from bigint NOT NULL,
    next_at   bigint NOT NULL
);
COMMENT ON TABLE log.partitions IS 'log.events_FIRST holds the positions first to last';

-- Rows are never changed, so pages are filled. Vacuum has nothing to clear away here, but it must come by while rows
-- are still in memory: to note which pages all may see (scans of an index alone need that) and to freeze them at once,
-- so that a full partition is never read again for the sake of old transaction numbers.
CREATE FUNCTION log.tune(p_table text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE log.%I SET (fillfactor = 100, autovacuum_vacuum_insert_scale_factor = 0,
        autovacuum_vacuum_insert_threshold = 100000, autovacuum_freeze_min_age = 0,
        autovacuum_analyze_scale_factor = 0.1)', p_table);
END $$;

CREATE FUNCTION log.bounds(p_first bigint, p_last bigint) RETURNS text LANGUAGE sql IMMUTABLE AS $$
    SELECT format('FROM (%s) TO (%s)', CASE WHEN p_first = 1 THEN 'MINVALUE' ELSE p_first::text END, p_last + 1)
$$;

-- With all indexes, also those that only partitions have, and not attached: what is to be in it can be written first.
CREATE FUNCTION log.new_partition(p_table text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE log.%I (LIKE log.events INCLUDING ALL, UNIQUE (event_id),
                    UNIQUE (stream, stream_version))', p_table);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON log.%I
                    FOR EACH STATEMENT EXECUTE FUNCTION log.refuse_change()', p_table);
    PERFORM log.tune(p_table);
END $$;

-- ATTACH waits for no reader and no reader waits for it; CREATE TABLE … PARTITION OF would stop them all.
CREATE FUNCTION log.add_partitions(p_upto bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    v_size  bigint := log.partition_size();
    v_first bigint;
    v_next  bigint;
    v_from  bigint;
BEGIN
    LOOP
        SELECT p.first, p.last + 1, p.next_at INTO v_from, v_first, v_next
        FROM log.partitions p ORDER BY p.first DESC LIMIT 1;
        EXIT WHEN p_upto < v_next;
        PERFORM log.new_partition('events_' || v_first);
        EXECUTE format('ALTER TABLE log.events ATTACH PARTITION log.%I FOR VALUES %s', 'events_' || v_first,
                       log.bounds(v_first, v_first + v_size - 1));
        INSERT INTO log.partitions VALUES (v_first, v_first + v_size - 1, v_from, v_first + v_size - 1 - v_size / 2);
    END LOOP;
END $$;

DO $$
DECLARE
    v_size bigint := log.partition_size();
    v_last bigint;
BEGIN
    SELECT greatest(1, ceil(coalesce(max(position), 0)::numeric / v_size)) * v_size INTO v_last FROM log.events_1;
    PERFORM log.tune('events_1');
    EXECUTE 'ALTER TABLE log.events ATTACH PARTITION log.events_1 FOR VALUES ' || log.bounds(1, v_last);
    INSERT INTO log.partitions VALUES (1, v_last, {-(2**63)}, v_last - v_size / 2);
END $$;
"""

ARCHIVES = """
CREATE TABLE log.archives (
    first       bigint PRIMARY KEY REFERENCES log.partitions,
    last        bigint NOT NULL,
    before      bytea NOT NULL,
    hash        bytea NOT NULL,
    gone        jsonb NOT NULL,
    days        text[] NOT NULL,
    kept        bytea NOT NULL,
    file        text NOT NULL,
    archived_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE log.archives IS 'parts of the log that lie in files; gone: how many of which type, days: of'
    ' which days they speak, kept: the digest of those events that stayed';
CREATE TABLE log.archived_streams (
    stream  text NOT NULL,
    first   bigint NOT NULL REFERENCES log.archives ON DELETE CASCADE,
    version integer NOT NULL,
    PRIMARY KEY (stream, first)
);
CREATE TABLE log.archived_ids (
    event_id uuid PRIMARY KEY,
    position bigint NOT NULL
);
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'meals_app') THEN
        GRANT SELECT ON log.partitions, log.archives, log.archived_streams, log.archived_ids TO meals_app;
    END IF;
END $$;
"""

# A table's row type went with its name, and these functions with that.
CHAIN = f"""
DROP FUNCTION log.link(bytea, log.events_1);
DROP FUNCTION log.record(log.events_1);
CREATE FUNCTION log.record(e log.events) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT record_send(ROW({", ".join(f"e.{name.strip()}" for name in FIELDS.split(","))}))
$$;
CREATE FUNCTION log.link(previous bytea, e log.events) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || log.record(e))
$$;
"""

# Only the last two partitions can hold the head: the others are neither planned nor opened for it. More than two may be
# empty where room was made for a bulk that wrote less.
HEAD = """
CREATE FUNCTION log.head(OUT "position" bigint, OUT hash bytea) LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_from bigint;
BEGIN
    SELECT p.head_from INTO v_from FROM log.partitions p ORDER BY p.first DESC LIMIT 1;
    SELECT e.position, e.hash INTO "position", hash
    FROM log.events e WHERE e.position >= v_from ORDER BY e.position DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT e.position, e.hash INTO "position", hash FROM log.events e ORDER BY e.position DESC LIMIT 1;
    END IF;
    "position" := coalesce("position", 0);
    hash := coalesce(hash, '');
END $$;

-- Where so many new events go after. It makes partitions ahead of need: whoever holds a lock that is in the way of one,
-- like a VACUUM, is only waited for when there is no room left.
CREATE FUNCTION log.place(p_count bigint, OUT "position" bigint, OUT hash bytea, OUT head_from bigint)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_last bigint;
    v_next bigint;
    v_wait text;
BEGIN
    SELECT p.last, p.next_at, p.head_from INTO v_last, v_next, head_from
    FROM log.partitions p ORDER BY p.first DESC LIMIT 1;
    SELECT e.position, e.hash INTO "position", hash
    FROM log.events e WHERE e.position >= head_from ORDER BY e.position DESC LIMIT 1;
    IF NOT FOUND THEN
        SELECT h.position, h.hash INTO "position", hash FROM log.head() h;
    END IF;
    IF "position" + p_count > v_last THEN
        PERFORM log.add_partitions("position" + p_count);
    ELSIF "position" + p_count >= v_next THEN
        v_wait := current_setting('lock_timeout');
        BEGIN
            PERFORM set_config('lock_timeout', '100ms', true);
            PERFORM log.add_partitions("position" + p_count);
        EXCEPTION WHEN lock_not_available THEN NULL;
        END;
        PERFORM set_config('lock_timeout', v_wait, true);
    END IF;
END $$;

DROP FUNCTION log.version_of(text, integer);
CREATE FUNCTION log.version_of(p_stream text, p_expected integer, p_from bigint) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    v_version integer;
BEGIN
    SELECT max(e.stream_version) INTO v_version FROM log.events e WHERE e.stream = p_stream AND e.position >= p_from;
    IF v_version IS NULL THEN
        SELECT greatest(0, (SELECT max(e.stream_version) FROM log.events e
                            WHERE e.stream = p_stream AND e.position < p_from),
                        (SELECT max(a.version) FROM log.archived_streams a WHERE a.stream = p_stream))
        INTO v_version;
    END IF;
    IF p_expected IS NOT NULL AND p_expected <> v_version THEN
        RAISE EXCEPTION 'stream % is at %', p_stream, v_version USING ERRCODE = 'ME001', DETAIL = v_version::text;
    END IF;
    RETURN v_version;
END $$;
"""

DIGEST = """
CREATE FUNCTION log.digest(p_stream text, p_types text[], p_versions smallint[], p_payloads jsonb[]) RETURNS bytea
LANGUAGE sql STABLE AS $$
    SELECT sha256(convert_to(jsonb_build_array(p_stream, p_types, p_versions, p_payloads)::text, 'UTF8'))
$$;

-- The first answer to events that a caller gave these ids, nothing if they are new. All or none of them were appended.
CREATE FUNCTION log.said_as(p_ids uuid[], p_digest bytea) RETURNS log.once LANGUAGE plpgsql AS $$
DECLARE
    v_known log.once;
    v_ids   uuid[];
    v_lies  record;
BEGIN
    SELECT p_ids[1]::text, min(e.position), max(e.position), max(e.stream_version),
           log.digest(min(e.stream), array_agg(e.type ORDER BY e.position), array_agg(e.version ORDER BY e.position),
                      array_agg(e.payload ORDER BY e.position)), array_agg(e.event_id ORDER BY e.position)
    INTO v_known.key, v_known.first_position, v_known.last_position, v_known.stream_version, v_known.digest, v_ids
    FROM log.events e WHERE e.event_id = ANY(p_ids);
    SELECT a.position, f.file INTO v_lies FROM log.archived_ids a JOIN log.archives f
    ON a.position BETWEEN f.first AND f.last WHERE a.event_id = ANY(p_ids) LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'position % has that id and is archived', v_lies.position
            USING ERRCODE = 'ME004', DETAIL = v_lies.file;
    END IF;
    IF v_ids IS NULL THEN
        RETURN NULL;
    END IF;
    IF v_ids <> p_ids OR v_known.digest <> p_digest
       OR v_known.last_position - v_known.first_position <> cardinality(p_ids) - 1 THEN
        RAISE EXCEPTION 'an event with that id is there' USING ERRCODE = 'ME005',
            DETAIL = v_known.first_position::text;
    END IF;
    RETURN v_known;
END $$;
"""

CHAINED = f"""SELECT {FIELDS},
           log.chain(v_hash, record_send(ROW({FIELDS}))) OVER (ORDER BY position)"""

# A staged bulk asks for the versions of its streams as `version_of` does, but in one statement: a function called for
# each stream takes more than twice as long.
APPEND = f"""
DROP FUNCTION log.append_one(text, integer, text, text, text, uuid, uuid, uuid, text, smallint, jsonb, timestamptz);
CREATE FUNCTION log.append_one(
    p_stream text, p_expected integer, p_once text, p_household text, p_actor text,
    p_correlation uuid, p_causation uuid,
    p_id uuid, p_type text, p_version smallint, p_payload jsonb, p_occurred timestamptz, p_given boolean DEFAULT false,
    OUT first_position bigint, OUT last_position bigint, OUT stream_version integer, OUT said_before boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    v_digest bytea;
    v_known  log.once;
    v_place  record;
    v_new    log.events;
BEGIN
    IF p_once IS NOT NULL OR p_given THEN
        v_digest := log.digest(p_stream, ARRAY[p_type], ARRAY[p_version], ARRAY[p_payload]);
    END IF;
    v_known := log.begin_append(p_once, v_digest);
    IF p_given AND v_known.key IS NULL THEN
        v_known := log.said_as(ARRAY[p_id], v_digest);
    END IF;
    said_before := v_known.key IS NOT NULL;
    IF said_before THEN
        first_position := v_known.first_position;
        last_position := v_known.last_position;
        stream_version := v_known.stream_version;
        RETURN;
    END IF;
    v_place := log.place(1);
    stream_version := log.version_of(p_stream, p_expected, v_place.head_from) + 1;
    first_position := v_place.position + 1;
    last_position := first_position;
    v_new := ROW(first_position, p_id, p_stream, stream_version, p_type, p_version, p_payload, p_household, p_actor,
                 p_correlation, p_causation, p_occurred, clock_timestamp(), v_place.hash);
    v_new.hash := log.link(v_new.hash, v_new);
    INSERT INTO log.events VALUES (v_new.*);
    IF p_once IS NOT NULL THEN
        INSERT INTO log.once VALUES (p_once, first_position, last_position, stream_version, v_digest);
    END IF;
    PERFORM pg_notify('meals_log', last_position::text);
END $$;

CREATE OR REPLACE FUNCTION log.append_group(p_appends jsonb)
RETURNS TABLE (first_position bigint, last_position bigint, stream_version integer, said_before boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
DECLARE
    a record;
BEGIN
    FOR a IN SELECT * FROM jsonb_to_recordset(p_appends) AS given (
        stream text, expected integer, once text, household text, actor text, correlation uuid, causation uuid,
        id uuid, type text, version smallint, payload jsonb, occurred timestamptz, given boolean)
    LOOP
        SELECT said.* INTO first_position, last_position, stream_version, said_before
        FROM log.append_one(a.stream, a.expected, a.once, a.household, a.actor, a.correlation, a.causation,
                            a.id, a.type, a.version, a.payload, a.occurred, coalesce(a.given, false)) AS said;
        RETURN NEXT;
    END LOOP;
END $$;

DROP FUNCTION log.append(text, integer, text, text, text, uuid, uuid, timestamptz, jsonb);
CREATE FUNCTION log.append(
    p_stream text, p_expected integer, p_once text, p_household text, p_actor text,
    p_correlation uuid, p_causation uuid,
    p_occurred timestamptz, p_events jsonb, p_given boolean DEFAULT false,
    OUT first_position bigint, OUT last_position bigint, OUT stream_version integer, OUT said_before boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_digest bytea;
    v_known  log.once;
    v_ids    uuid[];
    v_last   bigint;
    v_from   bigint;
    v_at     integer;
    v_hash   bytea;
    v_now    timestamptz;
BEGIN
    IF p_once IS NOT NULL OR p_given THEN
        SELECT log.digest(p_stream, array_agg(type ORDER BY n), array_agg(version ORDER BY n),
                          array_agg(payload ORDER BY n)), array_agg(id ORDER BY n)
        INTO v_digest, v_ids FROM log.given(p_events);
    END IF;
    v_known := log.begin_append(p_once, v_digest);
    IF p_given AND v_known.key IS NULL THEN
        v_known := log.said_as(v_ids, v_digest);
    END IF;
    said_before := v_known.key IS NOT NULL;
    IF said_before THEN
        first_position := v_known.first_position;
        last_position := v_known.last_position;
        stream_version := v_known.stream_version;
        RETURN;
    END IF;
    SELECT p.position, p.hash, p.head_from INTO v_last, v_hash, v_from
    FROM log.place(jsonb_array_length(p_events)) p;
    v_at := log.version_of(p_stream, p_expected, v_from);
    v_now := clock_timestamp();
    INSERT INTO log.events
    {CHAINED} FROM (
        SELECT v_last + n AS position, id AS event_id, p_stream AS stream, (v_at + n)::integer AS stream_version, type,
               version, payload, p_household AS household, p_actor AS actor, p_correlation AS correlation_id,
               p_causation AS causation_id, p_occurred AS occurred_at, v_now AS recorded_at
        FROM log.given(p_events)
    ) AS rows;
    first_position := v_last + 1;
    last_position := v_last + jsonb_array_length(p_events);
    stream_version := v_at + jsonb_array_length(p_events);
    IF p_once IS NOT NULL THEN
        INSERT INTO log.once VALUES (p_once, first_position, last_position, stream_version, v_digest);
    END IF;
    PERFORM pg_notify('meals_log', last_position::text);
END $$;

CREATE OR REPLACE FUNCTION log.append_staged(
    p_once text, p_household text, p_actor text, p_correlation uuid, p_causation uuid,
    OUT first_position bigint, OUT last_position bigint, OUT stream_version integer, OUT said_before boolean
) LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp SET plan_cache_mode = force_generic_plan AS $$
#variable_conflict use_column
DECLARE
    v_digest bytea;
    v_known  log.once;
    v_last   bigint;
    v_from   bigint;
    v_hash   bytea;
    v_now    timestamptz;
BEGIN
    IF p_once IS NOT NULL THEN
        SELECT sha256(string_agg(record_send(ROW(s.stream, s.type, s.version, s.payload)), '' ORDER BY s.n))
        INTO v_digest FROM pg_temp.staged s;
    END IF;
    v_known := log.begin_append(p_once, v_digest);
    said_before := v_known.key IS NOT NULL;
    IF said_before THEN
        first_position := v_known.first_position;
        last_position := v_known.last_position;
        stream_version := v_known.stream_version;
        RETURN;
    END IF;
    SELECT p.position, p.hash, p.head_from INTO v_last, v_hash, v_from
    FROM (SELECT max(n) AS n FROM pg_temp.staged) AS s CROSS JOIN LATERAL log.place(s.n) p;
    v_now := clock_timestamp();
    INSERT INTO log.events
    {CHAINED} FROM (
        SELECT v_last + n AS position, event_id, stream,
               (at + row_number() OVER (PARTITION BY stream ORDER BY n))::integer AS stream_version, type, version,
               payload, p_household AS household, p_actor AS actor, p_correlation AS correlation_id,
               p_causation AS causation_id, occurred_at, v_now AS recorded_at
        FROM pg_temp.staged JOIN (
            SELECT s.stream, coalesce(
                (SELECT max(e.stream_version) FROM log.events e WHERE e.stream = s.stream AND e.position >= v_from),
                greatest((SELECT max(e.stream_version) FROM log.events e
                          WHERE e.stream = s.stream AND e.position < v_from),
                         (SELECT max(a.version) FROM log.archived_streams a WHERE a.stream = s.stream)), 0) AS at
            FROM (SELECT DISTINCT stream FROM pg_temp.staged) AS s
        ) AS stands USING (stream)
    ) AS rows;
    first_position := v_last + 1;
    SELECT v_last + max(n) INTO last_position FROM pg_temp.staged;
    stream_version := 0;
    IF p_once IS NOT NULL THEN
        INSERT INTO log.once VALUES (p_once, first_position, last_position, stream_version, v_digest);
    END IF;
    PERFORM pg_notify('meals_log', last_position::text);
END $$;
"""

RESTORE = """
CREATE OR REPLACE FUNCTION log.restore(p_after bigint, p_upto bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = log, pg_temp AS $$
DECLARE
    v_last bigint;
    v_hash bytea;
    v_rows bigint;
BEGIN
    PERFORM log.begin_append(NULL, NULL);
    SELECT p.position, p.hash INTO v_last, v_hash FROM log.place(p_upto - p_after) p;
    IF v_last <> p_after THEN
        RAISE EXCEPTION 'the log is at %, not at %', v_last, p_after USING ERRCODE = 'ME003';
    END IF;
    INSERT INTO log.events
    SELECT a.position, a.event_id, a.stream, a.stream_version, a.type, a.version, a.body->'data', a.household, a.actor,
           a.correlation_id, a.causation_id, a.occurred_at, a.recorded_at, a.hash
    FROM pg_temp.arriving a WHERE a.position > p_after AND a.position <= p_upto ORDER BY a.position;
    GET DIAGNOSTICS v_rows = ROW_COUNT;
    SELECT min(position) INTO v_last FROM (
        SELECT e.position, e.hash, log.link(lag(e.hash, 1, v_hash) OVER (ORDER BY e.position), e) AS link
        FROM log.events e WHERE e.position > p_after
    ) AS linked WHERE hash <> link;
    IF v_last IS NOT NULL OR v_rows <> p_upto - p_after THEN
        RAISE EXCEPTION 'what is to be restored after % does not continue the log at %', p_after,
            coalesce(v_last, p_after + v_rows + 1) USING ERRCODE = 'ME003';
    END IF;
    PERFORM pg_notify('meals_log', p_upto::text);
    RETURN p_upto;
END $$;
"""


def upgrade() -> None:
    connection = op.get_bind().connection.driver_connection
    for statement in (CONVERT, PARTITIONS, ARCHIVES, CHAIN, HEAD, DIGEST, APPEND, RESTORE):
        connection.execute(statement)

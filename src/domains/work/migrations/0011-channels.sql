-- Channels: what a group of jobs may use together, however many workers there are. How many run at once, and how many
-- start in a window of time. A channel of the fleet serves all tenants; another one its tenant only.
CREATE TABLE work.channels (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  -- Most jobs running at once; NULL: any number.
  concurrency int CHECK (concurrency BETWEEN 1 AND 100000),
  -- [{"limit": 5000, "window_seconds": 86400}, …]: most cost started in any window of that length.
  limits jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(limits) = 'array'),
  paused_at timestamptz,
  paused_until timestamptz,
  paused_by text,
  paused_reason text,
  -- A window is full: no grant before this moment.
  next_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  -- Lanes point at channels for good, so a removed one stays, without its name.
  removed_at timestamptz,
  version int NOT NULL DEFAULT 1,
  CHECK (paused_until IS NULL OR paused_at IS NOT NULL)
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX channels_name ON work.channels (tenant_id, name) WHERE removed_at IS NULL;
ALTER TABLE work.channels ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.channels FORCE ROW LEVEL SECURITY;
-- A tenant sees the fleet's channels, since its jobs may use them, and changes only its own.
CREATE POLICY tenant_rows ON work.channels TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY fleet_rows ON work.channels FOR SELECT TO qd_app USING (tenant_id = platform.fleet_tenant());
CREATE POLICY all_rows ON work.channels TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT (tenant_id, name, concurrency, limits),
  UPDATE (concurrency, limits, paused_at, paused_until, paused_by, paused_reason, next_at, removed_at, version)
  ON work.channels TO qd_app, qd_system;

-- What was granted, in sixty-fourths of each window. Written and read only under the lock of the channel's row.
CREATE TABLE work.channel_grants (
  channel_id bigint NOT NULL REFERENCES work.channels (id),
  window_seconds int NOT NULL,
  slot bigint NOT NULL,
  cost bigint NOT NULL,
  PRIMARY KEY (channel_id, window_seconds, slot)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE work.channel_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.channel_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY all_rows ON work.channel_grants TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, UPDATE (cost), DELETE ON work.channel_grants TO qd_system;

-- Nothing is handed out of a paused tenant; a pause of the fleet's tenant holds for all.
CREATE TABLE work.pauses (
  tenant_id uuid PRIMARY KEY REFERENCES access.tenants (id),
  paused_at timestamptz NOT NULL DEFAULT clock_timestamp(),
  paused_by text NOT NULL,
  reason text CHECK (length(reason) <= 500)
);
ALTER TABLE work.pauses ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.pauses FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.pauses TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY fleet_row ON work.pauses FOR SELECT TO qd_app USING (tenant_id = platform.fleet_tenant());
CREATE POLICY all_rows ON work.pauses TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT, DELETE ON work.pauses TO qd_app, qd_system;

-- Fairness between tenants: each job taken moves its tenant's turn on by 1 / weight, and the smallest turn is next. A
-- tenant that had nothing to do comes back at the turn that was served last, so it can neither save up nor be behind.
CREATE TABLE work.shares (
  tenant_id uuid PRIMARY KEY REFERENCES access.tenants (id),
  weight int NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 1000),
  next_turn float8 NOT NULL DEFAULT 0,
  last_turn float8 NOT NULL DEFAULT 0
) WITH (fillfactor = 50);
ALTER TABLE work.shares ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.shares FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.shares FOR SELECT TO qd_app USING (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.shares TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT ON work.shares TO qd_app, qd_system;
GRANT INSERT, UPDATE (weight, next_turn, last_turn) ON work.shares TO qd_system;

-- A lane is now a queue of a tenant on a channel, or on none.
ALTER TABLE work.lanes ADD channel_id bigint REFERENCES work.channels (id);
ALTER TABLE work.lanes DROP CONSTRAINT lanes_tenant_id_queue_key;
ALTER TABLE work.lanes ADD CONSTRAINT lanes_name UNIQUE NULLS NOT DISTINCT (tenant_id, queue, channel_id);
CREATE INDEX lanes_channel ON work.lanes (channel_id) WHERE channel_id IS NOT NULL;
GRANT INSERT (channel_id) ON work.lanes TO qd_app, qd_system;

ALTER TABLE work.jobs
  -- Its lane's channel. No foreign key of its own: the lane has it, and a check for each job would lock the channel.
  ADD channel_id bigint,
  ADD channel text,
  -- How much of the channel's windows it uses.
  ADD cost int NOT NULL DEFAULT 1 CHECK (cost BETWEEN 1 AND 1000000),
  -- Before the turns of tenants and before every priority.
  ADD urgent boolean NOT NULL DEFAULT false,
  -- An attempt may run so long; its lease is never prolonged beyond run_until.
  ADD max_runtime_seconds int CHECK (max_runtime_seconds BETWEEN 1 AND 2592000),
  ADD run_until timestamptz,
  ADD back_off_seconds int CHECK (back_off_seconds BETWEEN 1 AND 86400),
  -- Attempts whose worker was lost: a job that kills its workers is taken out.
  ADD losses int NOT NULL DEFAULT 0,
  -- The ended job that this one tries again.
  ADD replay_of uuid,
  ADD CHECK ((channel_id IS NULL) = (channel IS NULL)),
  DROP CONSTRAINT jobs_state_check,
  ADD CONSTRAINT jobs_state_check CHECK (state IN ('scheduled', 'queued', 'running', 'awaiting_approval'));
DROP INDEX work.jobs_queued;
CREATE INDEX jobs_queued ON work.jobs (lane_id, urgent DESC, priority, id) WHERE state = 'queued';
CREATE INDEX jobs_running ON work.jobs (channel_id) WHERE state = 'running' AND channel_id IS NOT NULL;
CREATE INDEX jobs_replay_of ON work.jobs (replay_of) WHERE replay_of IS NOT NULL;
GRANT UPDATE (priority, urgent, max_attempts, run_until, losses) ON work.jobs TO qd_app, qd_system;

ALTER TABLE work.ended_jobs
  ADD channel text,
  ADD cost int NOT NULL DEFAULT 1,
  ADD urgent boolean NOT NULL DEFAULT false,
  ADD max_runtime_seconds int,
  ADD back_off_seconds int,
  ADD replay_of uuid;
CREATE INDEX ended_jobs_replay_of ON work.ended_jobs (replay_of) WHERE replay_of IS NOT NULL;

ALTER TABLE work.minute_counts ADD cancelled bigint NOT NULL DEFAULT 0;
ALTER TABLE work.count_changes ADD cancelled int NOT NULL DEFAULT 0;

-- Locks channels in the order of their ids and answers what each may still grant: jobs, and cost. The counts are
-- statements of their own after the lock, so that they see what the holder before has committed; in one statement with
-- the lock they would see what was there before the wait. `needs[n]` is the cost of the job that is first on the nth:
-- where it does not fit, the channel notes when it will. Without `wait` channels that another claim holds are left out.
-- Jobs of all tenants count, so it runs as qd_system, whoever asks.
CREATE FUNCTION work.channel_room(channels bigint[], needs bigint[], wait boolean)
RETURNS TABLE (channel_id bigint, jobs bigint, cost bigint) LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
  held work.channels[];
  channel record;
  bound record;
  moment timestamptz;
  fits_at timestamptz;
  later timestamptz;
  jobs_left bigint;
  cost_left bigint;
BEGIN
  IF wait THEN
    held := ARRAY(SELECT c FROM work.channels c WHERE c.id = ANY (channels) ORDER BY c.id FOR NO KEY UPDATE);
  ELSE
    held := ARRAY(SELECT c FROM work.channels c WHERE c.id = ANY (channels) ORDER BY c.id FOR NO KEY UPDATE SKIP LOCKED);
  END IF;
  FOR channel IN
    SELECT c.id, c.concurrency, c.limits, n.need,
           c.paused_at IS NOT NULL AND coalesce(c.paused_until > clock_timestamp(), true) AS paused
    FROM unnest(held) c JOIN unnest(channels, needs) AS n (id, need) ON n.id = c.id
  LOOP
    jobs_left := NULL;
    cost_left := NULL;
    fits_at := NULL;
    IF channel.paused THEN
      jobs_left := 0;
    ELSIF channel.concurrency IS NOT NULL THEN
      SELECT channel.concurrency - count(*) INTO jobs_left FROM work.jobs j
      WHERE j.channel_id = channel.id AND j.state = 'running';
    END IF;
    moment := clock_timestamp();
    FOR bound IN
      SELECT l.window_seconds, l."limit" AS most,
             floor(extract(epoch FROM moment) * 64 / l.window_seconds)::bigint - 64 AS oldest
      FROM jsonb_to_recordset(channel.limits) AS l ("limit" bigint, window_seconds int)
    LOOP
      -- The oldest of the 65 slots is partly outside the window: it counts whole. What lies in the future, because the
      -- clock was set back, counts too.
      SELECT least(cost_left, bound.most - coalesce(sum(g.cost), 0)) INTO cost_left FROM work.channel_grants g
      WHERE g.channel_id = channel.id AND g.window_seconds = bound.window_seconds AND g.slot >= bound.oldest;
      SELECT to_timestamp((s.slot + 65) * bound.window_seconds / 64.0) INTO later FROM (
        SELECT g.slot, sum(g.cost) OVER (ORDER BY g.slot DESC) AS spent FROM work.channel_grants g
        WHERE g.channel_id = channel.id AND g.window_seconds = bound.window_seconds AND g.slot >= bound.oldest
      ) s WHERE s.spent + channel.need > bound.most ORDER BY s.slot DESC LIMIT 1;
      fits_at := greatest(fits_at, later);
    END LOOP;
    IF cost_left < channel.need THEN
      UPDATE work.channels c SET next_at = fits_at WHERE c.id = channel.id;
    END IF;
    RETURN QUERY SELECT channel.id, jobs_left, cost_left;
  END LOOP;
END $$;

-- Notes grants on a channel that this transaction holds locked. Called after the jobs were handed out, so that no grant
-- is noted earlier than it was made.
CREATE FUNCTION work.note_grant(channel bigint, spent bigint) RETURNS void LANGUAGE plpgsql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  INSERT INTO work.channel_grants AS g (channel_id, window_seconds, slot, cost)
  SELECT c.id, l.window_seconds, floor(extract(epoch FROM clock_timestamp()) * 64 / l.window_seconds)::bigint, spent
  FROM work.channels c, jsonb_to_recordset(c.limits) AS l (window_seconds int)
  WHERE c.id = channel
  ON CONFLICT (channel_id, window_seconds, slot) DO UPDATE SET cost = g.cost + excluded.cost;
END $$;

-- Pauses a channel because a provider refuses more. A pause that lasts longer stays as it is.
CREATE FUNCTION work.hold_back(channel bigint, seconds float8, by_whom text, why text)
RETURNS TABLE (name text, paused_until timestamptz) LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE work.channels c SET paused_at = clock_timestamp(), paused_by = by_whom, paused_reason = why,
    paused_until = clock_timestamp() + make_interval(secs => seconds), version = c.version + 1
  WHERE c.id = channel AND (c.paused_at IS NULL OR c.paused_until < clock_timestamp() + make_interval(secs => seconds))
  RETURNING c.name, c.paused_until
$$;

-- These act for workers of tenants, whose own role sees neither the jobs of others nor the grants, and may not change a
-- channel of the fleet.
GRANT CREATE ON SCHEMA work TO qd_system;
ALTER FUNCTION work.channel_room(bigint[], bigint[], boolean) OWNER TO qd_system;
ALTER FUNCTION work.note_grant(bigint, bigint) OWNER TO qd_system;
ALTER FUNCTION work.hold_back(bigint, float8, text, text) OWNER TO qd_system;
REVOKE CREATE ON SCHEMA work FROM qd_system;
SET LOCAL ROLE qd_system;
REVOKE ALL ON FUNCTION work.channel_room(bigint[], bigint[], boolean) FROM PUBLIC;
REVOKE ALL ON FUNCTION work.note_grant(bigint, bigint) FROM PUBLIC;
REVOKE ALL ON FUNCTION work.hold_back(bigint, float8, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.channel_room(bigint[], bigint[], boolean), work.note_grant(bigint, bigint),
  work.hold_back(bigint, float8, text, text) TO qd_app;
RESET ROLE;

-- Hands out up to `most` queued jobs of these queues under a new lease: urgent ones first, then by the turns of their
-- tenants, by priority, and by age. The first look is at the head of each lane, by one index probe; lanes of a channel
-- that is paused, full or has nothing left before a later moment are passed over whole, however long they are; a lane
-- whose head is not among the best `reach` cannot hold one of them.
-- Candidates are read without a lock. Channels of those that would be taken are locked and say what they may grant
-- (work.channel_room); then the jobs are locked one after the other, in order, until there are enough: so a claim never
-- locks a job that it does not take. Those that another claim holds at this moment are passed over. Where that leaves
-- too few, another round looks further; only the first round waits for the locks of channels, in the order of their ids,
-- so that two claims never wait crosswise.
-- The settings pin the plan to the indexes: estimates for a table that is empty most of the time are worthless.
DROP FUNCTION work.claim(text[], int, uuid, text, int, bytea[]);
CREATE FUNCTION work.claim(queues text[], most int, claimer uuid, claimer_name text, lease_seconds int, hashes bytea[])
RETURNS TABLE (place int, id uuid, tenant_id uuid, queue text, kind text, channel text, priority int, attempt int,
  max_attempts int, payload jsonb, created_at timestamptz, lease text, lease_until timestamptz, run_until timestamptz)
LANGUAGE plpgsql VOLATILE
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
  reach int := most + 32;
  got int := 0;
  base float8;
  -- Candidates in order: ids, and of each its channel (0: none) and cost.
  ids uuid[];
  of_channels bigint[];
  costs bigint[];
  many_tenants boolean := false;
  -- Channels that this claim asked and whose candidates did not all fit.
  full_channels bigint[] := '{}';
  left_out boolean;
  limited_channels bigint[];
  asked bigint[];
  needs bigint[];
  room_of bigint[];
  room_jobs bigint[];
  room_cost bigint[];
  wanted uuid[];
  taken uuid[];
  all_taken uuid[] := '{}';
BEGIN
  -- A claim that is forgotten in a crash would hand out the same attempt twice.
  IF current_setting('synchronous_commit') = 'off' THEN
    PERFORM set_config('synchronous_commit', 'on', true);
  END IF;
  FOR round IN 1..4 LOOP
    SELECT coalesce(max(s.last_turn), 0) INTO base FROM work.shares s;
    WITH heads AS MATERIALIZED (
      SELECT l.id, l.tenant_id, l.channel_id, head.urgent, head.priority, head.id AS head_id,
             greatest(coalesce(s.next_turn, 0), base) AS turn, 1.0::float8 / coalesce(s.weight, 1) AS step
      FROM work.lanes l CROSS JOIN LATERAL (
        SELECT j.urgent, j.priority, j.id FROM work.jobs j WHERE j.lane_id = l.id AND j.state = 'queued'
        ORDER BY j.urgent DESC, j.priority, j.id LIMIT 1
      ) head
      LEFT JOIN work.channels c ON c.id = l.channel_id
      LEFT JOIN work.shares s ON s.tenant_id = l.tenant_id
      WHERE l.queue = ANY (queues)
        AND NOT EXISTS (SELECT FROM work.pauses p WHERE p.tenant_id = l.tenant_id)
        AND (l.channel_id IS NULL OR (
          l.channel_id <> ALL (full_channels)
          AND (c.paused_at IS NULL OR c.paused_until <= clock_timestamp())
          AND (c.next_at IS NULL OR c.next_at <= clock_timestamp())
          AND (c.concurrency IS NULL OR c.concurrency > (
            SELECT count(*) FROM work.jobs r WHERE r.channel_id = l.channel_id AND r.state = 'running'))))
    ), near AS (
      SELECT h.tenant_id, h.channel_id, h.turn, h.step, job.id, job.urgent, job.priority, job.cost
      FROM (SELECT * FROM heads ORDER BY urgent DESC, turn, priority, head_id LIMIT reach) h CROSS JOIN LATERAL (
        SELECT j.id, j.urgent, j.priority, j.cost FROM work.jobs j
        WHERE j.lane_id = h.id AND j.state = 'queued'
          AND (j.avoid_agent_id IS DISTINCT FROM claimer OR j.avoid_until <= clock_timestamp())
        ORDER BY j.urgent DESC, j.priority, j.id LIMIT reach
      ) job
    ), fair AS (
      SELECT *, turn + step * (row_number() OVER (PARTITION BY tenant_id ORDER BY urgent DESC, priority, id) - 1) AS at
      FROM near
    ), best AS (
      SELECT * FROM fair ORDER BY urgent DESC, at, priority, id LIMIT reach
    )
    SELECT array_agg(id ORDER BY urgent DESC, at, priority, id),
           array_agg(coalesce(channel_id, 0) ORDER BY urgent DESC, at, priority, id),
           array_agg(cost ORDER BY urgent DESC, at, priority, id),
           many_tenants OR (SELECT count(DISTINCT tenant_id) > 1 FROM heads)
    INTO ids, of_channels, costs, many_tenants FROM best;
    EXIT WHEN ids IS NULL;

    wanted := ids;
    left_out := false;
    IF EXISTS (SELECT FROM unnest(of_channels) c WHERE c <> 0) THEN
      limited_channels := ARRAY(SELECT k.id FROM work.channels k
        WHERE k.id = ANY (of_channels) AND (k.concurrency IS NOT NULL OR k.limits <> '[]'));
      -- Each limited channel once, with the cost of its first candidate.
      SELECT array_agg(first.id), array_agg(first.cost) INTO asked, needs FROM (
        SELECT DISTINCT ON (c.id) c.id, c.cost
        FROM unnest(of_channels, costs) WITH ORDINALITY AS c (id, cost, place)
        WHERE c.place <= most - got AND c.id = ANY (limited_channels) ORDER BY c.id, c.place
      ) first;
      SELECT array_agg(r.channel_id), array_agg(r.jobs), array_agg(r.cost) INTO room_of, room_jobs, room_cost
      FROM work.channel_room(asked, needs, round = 1) r;
      -- What fits: of each channel the first so many, in order; a cheap job does not overtake a costly one before it.
      -- Candidates of a limited channel that was not asked, being none of the first, wait for the next round.
      SELECT array_agg(c.id ORDER BY c.place) FILTER (WHERE c.fits),
             full_channels || array_agg(DISTINCT c.channel) FILTER (WHERE NOT c.fits AND c.channel = ANY (asked)),
             bool_or(NOT c.fits)
      INTO wanted, full_channels, left_out
      FROM (
        SELECT n.id, n.channel, n.place,
               NOT n.limited OR (r.channel IS NOT NULL AND n.nth <= coalesce(r.jobs, n.nth)
                 AND n.spent <= coalesce(r.cost, n.spent)) AS fits
        FROM (
          SELECT t.id, t.channel, t.place,
                 row_number() OVER (PARTITION BY t.channel ORDER BY t.place) AS nth,
                 sum(t.cost) OVER (PARTITION BY t.channel ORDER BY t.place) AS spent,
                 t.channel = ANY (limited_channels) AS limited
          FROM unnest(ids, of_channels, costs) WITH ORDINALITY AS t (id, channel, cost, place)
        ) n LEFT JOIN unnest(room_of, room_jobs, room_cost) AS r (channel, jobs, cost) ON r.channel = n.channel
      ) c;
    END IF;

    SELECT array_agg(t.id) INTO taken FROM (
      SELECT j.id FROM unnest(wanted) WITH ORDINALITY AS c (id, place) JOIN work.jobs j ON j.id = c.id
      WHERE j.state = 'queued' ORDER BY c.place LIMIT most - got FOR UPDATE OF j SKIP LOCKED
    ) t;
    IF taken IS NOT NULL THEN
      RETURN QUERY
        UPDATE work.jobs j SET
          state = 'running', attempt = j.attempt + 1, agent_id = claimer, agent = claimer_name,
          started_at = clock_timestamp(),
          lease = (j.attempt + 1) || '.' || replace(gen_random_uuid()::text, '-', ''),
          lease_until = clock_timestamp()
            + least(make_interval(secs => lease_seconds), make_interval(secs => j.max_runtime_seconds)),
          run_until = clock_timestamp() + make_interval(secs => j.max_runtime_seconds),
          token_hash = hashes[got + c.place], avoid_agent_id = NULL, avoid_until = NULL, version = j.version + 1
        FROM unnest(taken) WITH ORDINALITY AS c (id, place)
        WHERE j.id = c.id
        RETURNING got + c.place::int, j.id, j.tenant_id, j.queue, j.kind, j.channel, j.priority, j.attempt,
          j.max_attempts, coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)),
          j.created_at, j.lease, j.lease_until, j.run_until;
      got := got + cardinality(taken);
      all_taken := all_taken || taken;
      PERFORM work.note_grant(spent.channel_id, spent.cost) FROM (
        SELECT j.channel_id, sum(j.cost)::bigint AS cost FROM work.jobs j
        WHERE j.id = ANY (taken) AND j.channel_id = ANY (room_of) GROUP BY 1
      ) spent;
    END IF;
    EXIT WHEN got >= most;
    -- Full channels leave room for others; what other claims hold is only worth another look when nothing was got.
    CONTINUE WHEN left_out;
    EXIT WHEN got > 0 OR cardinality(ids) < reach;
    reach := reach * 8;
  END LOOP;
  -- Once and last, in the order of tenants: so that these locks are held shortest, and never waited for crosswise.
  IF many_tenants AND got > 0 THEN
    INSERT INTO work.shares AS s (tenant_id, next_turn, last_turn)
    SELECT j.tenant_id, base + count(*), base + count(*) - 1 FROM work.jobs j
    WHERE j.id = ANY (all_taken) GROUP BY j.tenant_id ORDER BY j.tenant_id
    ON CONFLICT (tenant_id) DO UPDATE SET
      next_turn = greatest(s.next_turn, base) + (excluded.next_turn - base) / s.weight,
      last_turn = greatest(s.next_turn, base) + (excluded.last_turn - base) / s.weight;
  END IF;
END $$;
REVOKE ALL ON FUNCTION work.claim(text[], int, uuid, text, int, bytea[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.claim(text[], int, uuid, text, int, bytea[]) TO qd_app, qd_system;

CREATE OR REPLACE VIEW work.batch_jobs WITH (security_invoker = true) AS
  SELECT j.id, j.tenant_id, j.queue, j.kind, j.state AS status, j.priority,
         coalesce(j.payload, (SELECT p.payload FROM work.job_payloads p WHERE p.job_id = j.id)) AS payload,
         NULL::jsonb AS result, j.unique_key, j.run_at, j.created_at, j.created_by, j.attempt, j.max_attempts, j.agent,
         j.started_at, j.lease_until, NULL::timestamptz AS ended_at, j.reason, j.error, j.channel, j.cost, j.urgent
  FROM work.jobs j
  UNION ALL
  SELECT e.id, e.tenant_id, e.queue, e.kind, e.state, e.priority, e.payload, e.result, e.unique_key, e.run_at,
         e.created_at, e.created_by, e.attempt, e.max_attempts, e.agent, e.started_at, NULL, e.ended_at, e.reason,
         e.error, e.channel, e.cost, e.urgent
  FROM work.ended_jobs e;

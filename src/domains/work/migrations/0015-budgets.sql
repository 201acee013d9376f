-- Budgets: how much money, tokens and calls may be used in a window. One row each, with what was spent in the window
-- under way: so the limit, the sum and what follows from them are judged under one lock. Who has no budget writes none.
CREATE TABLE work.budgets (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  -- Whose jobs count: of the fleet's tenant all; unless the budget is of one agent.
  tenant_id uuid NOT NULL REFERENCES access.tenants (id),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 63),
  agent_id uuid,
  agent text,
  span text NOT NULL CHECK (span IN ('hour', 'day', 'month', 'total')),
  -- Money in millionths. NULL: no limit.
  usd_limit bigint CHECK (usd_limit > 0),
  tokens_limit bigint CHECK (tokens_limit > 0),
  calls_limit bigint CHECK (calls_limit > 0),
  -- The window under way, and what was spent in it.
  since timestamptz NOT NULL,
  usd bigint NOT NULL DEFAULT 0 CHECK (usd >= 0),
  tokens bigint NOT NULL DEFAULT 0 CHECK (tokens >= 0),
  calls bigint NOT NULL DEFAULT 0 CHECK (calls >= 0),
  -- Told of in this window that most of it is spent.
  warned boolean NOT NULL DEFAULT false,
  -- It is used up: nothing is handed out, and nothing runs on, before this moment.
  held_until timestamptz,
  -- What the log was not told of yet: [{"what", "metric", "spent", "most", "until"}]. A worker of a tenant may reach the limit
  -- of the fleet, and may not write its log.
  untold jsonb,
  version int NOT NULL DEFAULT 1,
  UNIQUE (tenant_id, name),
  CHECK ((agent_id IS NULL) = (agent IS NULL)),
  CHECK (num_nonnulls(usd_limit, tokens_limit, calls_limit) > 0)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
CREATE INDEX budgets_agent ON work.budgets (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX budgets_held ON work.budgets (held_until) WHERE held_until IS NOT NULL;
CREATE INDEX budgets_untold ON work.budgets (id) WHERE untold IS NOT NULL;
ALTER TABLE work.budgets ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.budgets FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.budgets TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.budgets TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, DELETE,
  INSERT (tenant_id, name, agent_id, agent, span, usd_limit, tokens_limit, calls_limit, since),
  UPDATE (span, usd_limit, tokens_limit, calls_limit, since, usd, tokens, calls, warned, held_until, untold,
    version)
  ON work.budgets TO qd_app, qd_system;

-- What jobs used, those that say so, and what they may use. Out of the row that every claim and renewal rewrites. No
-- foreign key, for the reason of work.job_payloads: what a job used stays when it has ended. Written under the lock of the
-- job's row.
CREATE TABLE work.job_usage (
  job_id uuid PRIMARY KEY,
  tenant_id uuid NOT NULL,
  usd_limit bigint NOT NULL,
  tokens_limit bigint NOT NULL,
  calls_limit bigint NOT NULL,
  -- Of all attempts.
  usd bigint NOT NULL DEFAULT 0,
  tokens bigint NOT NULL DEFAULT 0,
  calls bigint NOT NULL DEFAULT 0,
  -- What the last attempt said that it had used: a report that comes twice counts nothing twice.
  attempt int NOT NULL DEFAULT 0,
  attempt_usd bigint NOT NULL DEFAULT 0,
  attempt_tokens bigint NOT NULL DEFAULT 0,
  attempt_calls bigint NOT NULL DEFAULT 0,
  at timestamptz NOT NULL DEFAULT clock_timestamp()
) WITH (fillfactor = 70);
CREATE INDEX job_usage_at ON work.job_usage (at);
ALTER TABLE work.job_usage ENABLE ROW LEVEL SECURITY;
ALTER TABLE work.job_usage FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_rows ON work.job_usage TO qd_app
  USING (tenant_id = platform.tenant()) WITH CHECK (tenant_id = platform.tenant());
CREATE POLICY all_rows ON work.job_usage TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT,
  UPDATE (usd, tokens, calls, attempt, attempt_usd, attempt_tokens, attempt_calls, at) ON work.job_usage
  TO qd_app, qd_system;
GRANT DELETE ON work.job_usage TO qd_system;

-- Windows begin with the hour, day or month of UTC; `total` has begun for good.
CREATE FUNCTION work.window_start(span text, moment timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN CASE span WHEN 'total' THEN timestamptz '1970-01-01 00:00:00+00'
  ELSE date_trunc(span, moment AT TIME ZONE 'UTC') AT TIME ZONE 'UTC' END;
CREATE FUNCTION work.window_end(span text, moment timestamptz) RETURNS timestamptz LANGUAGE sql IMMUTABLE
RETURN CASE span WHEN 'total' THEN timestamptz 'infinity'
  ELSE (date_trunc(span, moment AT TIME ZONE 'UTC') + ('1 ' || span)::interval) AT TIME ZONE 'UTC' END;
REVOKE ALL ON FUNCTION work.window_start(text, timestamptz), work.window_end(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.window_start(text, timestamptz), work.window_end(text, timestamptz)
  TO qd_app, qd_system;

-- Adds to what a budget has spent, and notes what follows: `warned` with the report that reaches 80 % of a limit,
-- `exhausted` with the one that reaches it, each once in a window. A clock that was set back begins no window anew.
CREATE FUNCTION work.charge(budget_id bigint, more_usd bigint, more_tokens bigint, more_calls bigint)
RETURNS void LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  b work.budgets;
  news jsonb;
  fullest record;
  is_new_warning boolean;
  is_used_up boolean;
BEGIN
  SELECT * INTO b FROM work.budgets o WHERE o.id = budget_id FOR NO KEY UPDATE;
  IF NOT FOUND THEN
    RETURN;
  END IF;
  IF work.window_start(b.span, clock_timestamp()) > b.since THEN
    b.since := work.window_start(b.span, clock_timestamp());
    b.usd := 0;
    b.tokens := 0;
    b.calls := 0;
    b.warned := false;
    b.held_until := NULL;
  END IF;
  b.usd := b.usd + more_usd;
  b.tokens := b.tokens + more_tokens;
  b.calls := b.calls + more_calls;
  SELECT m.metric, m.spent, m.most INTO fullest
  FROM (VALUES ('usd', b.usd, b.usd_limit), ('tokens', b.tokens, b.tokens_limit), ('calls', b.calls, b.calls_limit))
    AS m (metric, spent, most)
  WHERE m.most IS NOT NULL ORDER BY m.spent::numeric / m.most DESC LIMIT 1;
  is_new_warning := NOT b.warned AND fullest.spent::numeric * 5 >= fullest.most::numeric * 4;
  is_used_up := b.held_until IS NULL AND fullest.spent >= fullest.most;
  IF is_used_up THEN
    b.held_until := work.window_end(b.span, b.since);
  END IF;
  SELECT jsonb_agg(jsonb_build_object('what', w.what, 'metric', fullest.metric, 'spent', fullest.spent, 'most',
           fullest.most, 'until', CASE WHEN b.span <> 'total' THEN work.window_end(b.span, b.since) END)) INTO news
  FROM (VALUES ('warned', is_new_warning), ('exhausted', is_used_up)) AS w (what, is_so) WHERE w.is_so;
  UPDATE work.budgets o SET since = b.since, usd = b.usd, tokens = b.tokens, calls = b.calls,
    warned = b.warned OR is_new_warning, held_until = b.held_until,
    untold = CASE WHEN news IS NULL THEN o.untold ELSE coalesce(o.untold, '[]') || news END
  WHERE o.id = b.id;
END $$;

-- Charges what jobs have used to the budgets of their agents, tenants and the fleet, in the order of the budgets' ids, so
-- that two reports never wait crosswise.
CREATE FUNCTION work.spend(uses jsonb) RETURNS void LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  one record;
BEGIN
  FOR one IN
    SELECT b.id, sum(u.usd)::bigint AS usd, sum(u.tokens)::bigint AS tokens, sum(u.calls)::bigint AS calls
    FROM jsonb_to_recordset(uses) AS u (tenant_id uuid, agent_id uuid, usd bigint, tokens bigint, calls bigint)
    JOIN work.budgets b ON b.agent_id = u.agent_id
      OR (b.agent_id IS NULL AND b.tenant_id IN (u.tenant_id, platform.fleet_tenant()))
    GROUP BY b.id ORDER BY b.id
  LOOP
    PERFORM work.charge(one.id, one.usd, one.tokens, one.calls);
  END LOOP;
END $$;

-- Tenants whose budget is used up; the fleet's stands for everything, and for this agent's own budget.
CREATE FUNCTION work.spent_out(claimer uuid) RETURNS uuid[] LANGUAGE sql STABLE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  SELECT coalesce(
    array_agg(DISTINCT CASE WHEN b.agent_id IS NULL THEN b.tenant_id ELSE platform.fleet_tenant() END), '{}')
  FROM work.budgets b
  WHERE b.held_until > clock_timestamp() AND (b.agent_id IS NULL OR b.agent_id = claimer)
$$;

-- These act for workers of tenants, whose own role sees no budget of the fleet.
REVOKE ALL ON FUNCTION work.charge(bigint, bigint, bigint, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.charge(bigint, bigint, bigint, bigint) TO qd_app, qd_system;
GRANT CREATE ON SCHEMA work TO qd_system;
ALTER FUNCTION work.spend(jsonb) OWNER TO qd_system;
ALTER FUNCTION work.spent_out(uuid) OWNER TO qd_system;
REVOKE CREATE ON SCHEMA work FROM qd_system;
SET LOCAL ROLE qd_system;
REVOKE ALL ON FUNCTION work.spend(jsonb) FROM PUBLIC;
REVOKE ALL ON FUNCTION work.spent_out(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.spend(jsonb), work.spent_out(uuid) TO qd_app;
RESET ROLE;

-- As it was (0011-channels.sql), and hands out nothing of tenants whose budget is used up.
CREATE OR REPLACE FUNCTION work.claim(queues text[], most int, claimer uuid, claimer_name text, lease_seconds int, hashes bytea[])
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
  spent_out uuid[] := work.spent_out(claimer);
BEGIN
  IF platform.fleet_tenant() = ANY (spent_out) THEN
    RETURN;
  END IF;
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
        AND l.tenant_id <> ALL (spent_out)
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

-- A channel that is full is passed over until what was first fits. Where that was cancelled, or another may come before it
-- now, it is judged anew by the next claim. Acts for callers of tenants on channels of the fleet too.
CREATE FUNCTION work.judge_anew(channels bigint[]) RETURNS void LANGUAGE sql VOLATILE
SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
  UPDATE work.channels c SET next_at = NULL FROM (
    SELECT o.id FROM work.channels o WHERE o.id = ANY (channels) AND o.next_at IS NOT NULL
    ORDER BY o.id FOR NO KEY UPDATE
  ) held WHERE c.id = held.id
$$;
GRANT CREATE ON SCHEMA work TO qd_system;
ALTER FUNCTION work.judge_anew(bigint[]) OWNER TO qd_system;
REVOKE CREATE ON SCHEMA work FROM qd_system;
SET LOCAL ROLE qd_system;
REVOKE ALL ON FUNCTION work.judge_anew(bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION work.judge_anew(bigint[]) TO qd_app;
RESET ROLE;

-- The claim, as it was (0015-budgets.sql) but for this.
-- The end of a lease and that of the attempt come from one look at the clock, so that what ran too long is told from what
-- lost its worker. Turns of tenants are compared among those that want the same workers: others, who are served faster,
-- would lift all of them to one turn, and the oldest backlog would be served first. More full channels than there are
-- rounds keep no job behind them waiting.
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
  base float8 := 0;
  moment timestamptz;
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
    WITH heads AS MATERIALIZED (
      SELECT l.id, l.tenant_id, l.channel_id, head.urgent, head.priority, head.id AS head_id,
             greatest(coalesce(s.next_turn, 0), max(coalesce(s.last_turn, 0)) OVER ()) AS turn,
             max(coalesce(s.last_turn, 0)) OVER () AS served, 1.0::float8 / coalesce(s.weight, 1) AS step
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
           many_tenants OR (SELECT count(DISTINCT tenant_id) > 1 FROM heads),
           greatest(base, (SELECT max(served) FROM heads))
    INTO ids, of_channels, costs, many_tenants, base FROM best;
    EXIT WHEN ids IS NULL;

    wanted := ids;
    left_out := false;
    IF EXISTS (SELECT FROM unnest(of_channels) c WHERE c <> 0) THEN
      limited_channels := ARRAY(SELECT k.id FROM work.channels k
        WHERE k.id = ANY (of_channels) AND (k.concurrency IS NOT NULL OR k.limits <> '[]'));
      -- Each limited channel once, with the cost of its first candidate. At first only those that would be taken; where
      -- that left too few, all, so that any number of full channels is passed over in few rounds.
      SELECT array_agg(first.id), array_agg(first.cost) INTO asked, needs FROM (
        SELECT DISTINCT ON (c.id) c.id, c.cost
        FROM unnest(of_channels, costs) WITH ORDINALITY AS c (id, cost, place)
        WHERE (c.place <= most - got OR round > 1) AND c.id = ANY (limited_channels) ORDER BY c.id, c.place
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
      -- Read once: a lease that is as long as the attempt may run ends in the same moment.
      moment := clock_timestamp();
      RETURN QUERY
        UPDATE work.jobs j SET
          state = 'running', attempt = j.attempt + 1, agent_id = claimer, agent = claimer_name,
          started_at = moment,
          lease = (j.attempt + 1) || '.' || replace(gen_random_uuid()::text, '-', ''),
          lease_until = moment
            + least(make_interval(secs => lease_seconds), make_interval(secs => j.max_runtime_seconds)),
          run_until = moment + make_interval(secs => j.max_runtime_seconds),
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

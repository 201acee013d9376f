-- Event types that rooms declare: whoever appends in plain SQL may not use them, as nobody may from outside. Written at
-- each start; a type stays reserved once it was.
CREATE TABLE log.reserved_event_types (event_type text PRIMARY KEY);
ALTER TABLE log.reserved_event_types ENABLE ROW LEVEL SECURITY;
ALTER TABLE log.reserved_event_types FORCE ROW LEVEL SECURITY;
CREATE POLICY read_all ON log.reserved_event_types FOR SELECT USING (true);
CREATE POLICY all_rows ON log.reserved_event_types TO qd_system USING (true) WITH CHECK (true);
GRANT SELECT, INSERT ON log.reserved_event_types TO qd_system;

-- What of a payload the appends over HTTP would refuse, or NULL. `$.**` walks depth first and counts the payload itself as
-- level 0; a request over HTTP nests one level around it, so 63 remain of its 64. An integer is refused when a reader in
-- JavaScript would round it, a number when it would become infinite there.
CREATE FUNCTION log.payload_problem(payload jsonb) RETURNS text LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1 AS $$
DECLARE
  bytes int := octet_length(payload::text);
  keys int;
BEGIN
  IF payload IS NULL OR jsonb_typeof(payload) <> 'object' THEN
    RETURN 'the payload is no JSON object';
  END IF;
  -- As text it has a space behind each colon and comma, which the limit does not count. They are at most half of it.
  IF bytes > 262144 THEN
    IF bytes <= 524288 THEN
      SELECT bytes - coalesce(sum(CASE jsonb_typeof(node)
        WHEN 'object' THEN greatest(2 * (SELECT count(*) FROM jsonb_object_keys(node)) - 1, 0)
        WHEN 'array' THEN greatest(jsonb_array_length(node) - 1, 0) ELSE 0 END), 0) INTO bytes
      FROM jsonb_path_query(payload, 'strict $.**') node;
    END IF;
    IF bytes > 262144 THEN RETURN 'the payload is larger than 262144 bytes'; END IF;
  END IF;
  IF jsonb_path_exists(payload, 'strict $.**{63 to last} ? (@.type() == "object" || @.type() == "array")') THEN
    RETURN 'the payload is nested deeper than 63 levels';
  END IF;
  IF EXISTS (SELECT FROM jsonb_object_keys(payload) key WHERE length(key) > 256) THEN
    RETURN 'a key of the payload is longer than 256 characters';
  END IF;
  SELECT max((SELECT count(*) FROM jsonb_object_keys(node))) INTO keys
  FROM jsonb_path_query(payload, 'strict $.** ? (@.type() == "object")') node;
  IF keys > 1000 THEN RETURN 'an object has more than 1000 keys'; END IF;
  IF EXISTS (SELECT FROM jsonb_path_query(payload, 'strict $.** ? (@.type() == "object")') node
             WHERE node ? '__proto__'
                OR (jsonb_typeof(node -> 'constructor') = 'object' AND (node -> 'constructor') ? 'prototype')) THEN
    RETURN 'a key like __proto__ is not allowed here';
  END IF;
  IF EXISTS (SELECT FROM jsonb_path_query(payload, 'strict $.** ? (@.type() == "number")') node
             CROSS JOIN LATERAL (SELECT (node #>> '{}')::numeric AS n) number
             WHERE CASE WHEN abs(n) > 1.7976931348623157e308 THEN true
                        WHEN n = trunc(n) THEN n <> (n::float8)::text::numeric ELSE false END) THEN
    RETURN 'a number is too large, or an integer beyond 2^53 that would be rounded';
  END IF;
  RETURN NULL;
END $$;

-- Refuses what the appends over HTTP would refuse; the detail is the code that they answer.
CREATE FUNCTION log.check_event(event_type text, subject text, payload jsonb, correlation_id text, causation_id text)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  problem text;
BEGIN
  IF event_type IS NULL OR length(event_type) > 100 OR event_type !~ '^[a-z0-9_]+([.-][a-z0-9_]+)*$' THEN
    RAISE EXCEPTION 'the event type has to be lower-case words joined by dots, at most 100 characters' USING
      ERRCODE = 'invalid_parameter_value', DETAIL = 'invalid_input', HINT = 'Write it like git.commit.';
  END IF;
  IF EXISTS (SELECT FROM log.reserved_event_types r WHERE r.event_type = check_event.event_type) THEN
    RAISE EXCEPTION 'events of the type % are written by the server only', event_type USING
      ERRCODE = 'invalid_parameter_value', DETAIL = 'log.reserved_event_type', HINT = 'Choose a type of your own.';
  END IF;
  IF length(subject) NOT BETWEEN 1 AND 200 OR length(correlation_id) NOT BETWEEN 1 AND 64
     OR length(causation_id) NOT BETWEEN 1 AND 64 THEN
    RAISE EXCEPTION 'a subject has 1 to 200 characters, a correlation or causation id 1 to 64' USING
      ERRCODE = 'invalid_parameter_value', DETAIL = 'invalid_input', HINT = 'Shorten it, or leave it out.';
  END IF;
  problem := log.payload_problem(payload);
  IF problem IS NOT NULL THEN
    RAISE EXCEPTION '%', problem USING ERRCODE = 'invalid_parameter_value',
      DETAIL = CASE WHEN problem LIKE '% bytes' THEN 'log.event_too_large' ELSE 'invalid_input' END,
      HINT = 'Store what is large elsewhere and log a reference to it; the limits are those of POST /v1/events.';
  END IF;
END $$;
REVOKE ALL ON FUNCTION log.payload_problem(jsonb), log.check_event(text, text, jsonb, text, text) FROM PUBLIC;

-- The claim's statements are planned once a connection, not once a call: its settings leave one plan, and planning took more
-- than half of a small claim (p50 1.4 → 0.6 ms with 100,000 blocked jobs in front). To be said again whenever the function is
-- replaced.
ALTER FUNCTION work.claim(text[], int, uuid, text, int, bytea[]) SET plan_cache_mode = force_generic_plan;

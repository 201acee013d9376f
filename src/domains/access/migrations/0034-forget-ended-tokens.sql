-- Tokens of agents that ended long ago are removed: each start of a supervised process makes one.
GRANT DELETE ON access.tokens TO qd_system;
CREATE INDEX tokens_ended ON access.tokens (least(revoked_at, expires_at))
  WHERE kind = 'agent' AND least(revoked_at, expires_at) IS NOT NULL;

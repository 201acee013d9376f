// The grace after an outage: when the database itself was away, no worker could renew, so for a while nobody is declared
// lost and a lease that ran out meanwhile still counts.
import type { Availability } from '../../platform/db/availability.ts';

export const GRACE_SECONDS = 15;

/** What a statement needs to judge leases: the server knows itself when it started, only the process saw it unreachable. */
export interface LeaseGrace {
  readonly seconds: number;
  readonly sawOutage: boolean;
}

export function leaseGrace(availability: Availability, seconds: number = GRACE_SECONDS): LeaseGrace {
  const { backSince } = availability;
  return { seconds, sawOutage: backSince !== undefined && performance.now() - backSince < seconds * 1_000 };
}

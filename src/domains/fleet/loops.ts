// Upkeep of the fleet, run by every engine: whoever comes first tells of a silence, the others find it told.
import type { Call } from '../../platform/call.ts';
import { Loop } from '../../platform/loop.ts';
import type { Fleet } from './service.ts';

export interface FleetLoopOptions {
  readonly fleet: Fleet;
  readonly call: Call;
  readonly failed: (name: string, error: unknown, failures: number) => void;
}

export function fleetLoops({ fleet, call, failed }: FleetLoopOptions): Loop[] {
  return [
    new Loop({ name: 'fleet.silence', everyMs: 5_000, failed, turn: () => fleet.tellSilences(call) }),
    new Loop({ name: 'fleet.healer', everyMs: 5_000, failed, turn: () => fleet.healer.heal(call) }),
    new Loop({ name: 'fleet.old_healings', everyMs: 3_600_000, failed, turn: () => fleet.healer.forgetOld(call) }),
  ];
}

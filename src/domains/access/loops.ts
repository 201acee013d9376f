// Upkeep of access, run by every engine.
import type { Call } from '../../platform/call.ts';
import { Loop } from '../../platform/loop.ts';
import type { Access } from './service.ts';

/** How often who follows the log is woken for what came by plain SQL; others are told within milliseconds. */
const WAKE_MS = 100;

export interface AccessLoopOptions {
  readonly access: Access;
  readonly call: Call;
  readonly failed: (name: string, error: unknown, failures: number) => void;
}

export function accessLoops({ access, call, failed }: AccessLoopOptions): Loop[] {
  const { sqlSessions } = access;
  return [
    new Loop({ name: 'access.forget', everyMs: 600_000, failed, turn: () => access.forgetOld() }),
    new Loop({ name: 'access.sql_sessions', everyMs: 1_000, failed, turn: () => sqlSessions.tidy(call) }),
    new Loop({ name: 'access.sql_wakeups', everyMs: WAKE_MS, failed, turn: () => sqlSessions.wakeReaders() }),
  ];
}

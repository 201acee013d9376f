// Upkeep of access, run by every engine.
import { Loop } from '../../platform/loop.ts';
import type { Access } from './service.ts';

export function accessLoops(access: Access, failed: (name: string, error: unknown, failures: number) => void): Loop[] {
  return [new Loop({ name: 'access.forget', everyMs: 600_000, failed, turn: () => access.forgetOld() })];
}

// Every operation of every room, in the order of the rooms. Contracts only: the CLI and the reference load this without
// loading a room.
import { operations as accessOperations } from './domains/access/operations.ts';
import { operations as fleetOperations } from './domains/fleet/operations.ts';
import { operations as logOperations } from './domains/log/operations.ts';
import { operations as workOperations } from './domains/work/operations.ts';
import type { AnyOperation } from './platform/operation.ts';

export const allOperations: readonly AnyOperation[] = [
  ...Object.values(logOperations),
  ...Object.values(accessOperations),
  ...Object.values(workOperations),
  ...Object.values(fleetOperations),
];

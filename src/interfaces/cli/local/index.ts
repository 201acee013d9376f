// The commands that concern this machine only, in the order of the help.
import type { AnyLocalOperation } from '../local-operation.ts';
import { listDatabaseCopies, restoreDatabaseCopy } from './database-copies.ts';
import { down } from './down.ts';
import { addExample, listExamples, removeExample } from './example.ts';
import { logs } from './logs.ts';
import { mcp } from './mcp.ts';
import { status } from './status.ts';
import { up } from './up.ts';
import { showVersion } from './version.ts';

export const localOperations: readonly AnyLocalOperation[] = [
  up,
  down,
  status,
  logs,
  listExamples,
  addExample,
  removeExample,
  listDatabaseCopies,
  restoreDatabaseCopy,
  mcp,
  showVersion,
];

// The commands that concern this machine only, in the order of the help.
import type { AnyLocalOperation } from '../local-operation.ts';
import { api } from './api.ts';
import { makeBundle } from './bundle.ts';
import { completion } from './completion.ts';
import { checkConfig, explainSettings } from './config.ts';
import { addContext, listContexts, removeContext, showContext, useContext } from './context.ts';
import { listDatabaseCopies, restoreDatabaseCopy } from './database-copies.ts';
import { moveDatabase } from './database-move.ts';
import { down } from './down.ts';
import { addExample, listExamples, removeExample } from './example.ts';
import { hookStatus, installHook, removeHook, sendHookEvents } from './hook.ts';
import { jobWork } from './job-work.ts';
import { logs } from './logs.ts';
import { mcp } from './mcp.ts';
import { status } from './status.ts';
import { top } from './top.ts';
import { up } from './up.ts';
import { showVersion } from './version.ts';

export const localOperations: readonly AnyLocalOperation[] = [
  up,
  down,
  status,
  logs,
  makeBundle,
  top,
  listExamples,
  addExample,
  removeExample,
  listDatabaseCopies,
  restoreDatabaseCopy,
  moveDatabase,
  installHook,
  removeHook,
  hookStatus,
  sendHookEvents,
  jobWork,
  addContext,
  listContexts,
  useContext,
  showContext,
  removeContext,
  explainSettings,
  checkConfig,
  api,
  completion,
  mcp,
  showVersion,
];

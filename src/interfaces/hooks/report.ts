// What a hook leaves running behind it: makes events of what happened, lays them down and sends what waits. Its words are
// the state directory, the key of the place, the tool, and what the tool gave its hook; the tool's input is on stdin.
import { join } from 'node:path';
import { claudeEvent } from './claude-events.ts';
import { gitEvent } from './git-events.ts';
import { sendWaiting } from './send.ts';
import { type HookEvent, Spool } from './spool.ts';
import { findTarget, forgetOldBoxes } from './state.ts';

const INPUT_BYTES = 32 * 1024 * 1024;
const SEND_LIMIT_MS = 20_000;

// The terminal that the tool ran in may go away before this is done.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGQUIT'] as const) process.on(signal, () => undefined);

const [state, key, tool, ...words] = process.argv.slice(2);
if (state !== undefined && key !== undefined) await report(state, key);

async function report(state: string, key: string): Promise<void> {
  const target = findTarget(state, key, process.env);
  const event = await makeEvent(await readInput());
  if (target === undefined || event === undefined) return;
  const box = join(state, 'boxes', target.box);
  new Spool(box).put(event);
  forgetOldBoxes(state);
  const connection = target.connect();
  if (connection !== undefined) await sendWaiting(box, connection, SEND_LIMIT_MS);
}

function makeEvent(input: string): Promise<HookEvent | undefined> {
  return tool === 'git' ? gitEvent(words, input, process.env) : claudeEvent(input);
}

async function readInput(): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin) {
    bytes += (part as Buffer).length;
    // The rest is read all the same: who writes it must not be stopped by us.
    if (bytes <= INPUT_BYTES) parts.push(part as Buffer);
  }
  return bytes <= INPUT_BYTES ? Buffer.concat(parts).toString() : '';
}

// The worker behind `quarterdeck job work`: that of the SDK, whose handler runs the command.
import { me } from '../../../../domains/access/operations.ts';
import { CliFailure, callOperation } from '../../client.ts';
import { findConnection } from '../../connection.ts';
import { exitCodeOf, exitCodes } from '../../exit-codes.ts';
import type { Output } from '../../local-operation.ts';
import { escapeControl } from '../../plain-text.ts';
import { runCommand } from './command.ts';
import { endOf } from './outcome.ts';
import { loadSdk, type Sdk, type SdkJob } from './sdk.ts';

interface Wanted {
  readonly exec: string;
  readonly queues: readonly string[];
  readonly kinds: readonly string[];
  readonly concurrency: number;
  readonly lease_seconds: number;
  readonly stall_seconds: number;
  readonly stop_seconds: number;
  readonly outbox?: string | undefined;
  readonly data?: string | undefined;
  readonly url?: string | undefined;
  readonly context?: string | undefined;
}

const TIMEOUT_MS = 30_000;

/** Works until it is told to leave; answers the exit code. Throws CliFailure. */
export async function workWithCommand(wanted: Wanted, output: Output): Promise<number> {
  const queues = wanted.queues.length > 0 ? wanted.queues : wanted.kinds;
  if (queues.length === 0)
    throw new CliFailure(
      'work on what?',
      exitCodes.usage,
      'Give --queues, or --kinds whose queues are named like them.',
    );
  const { data, url, context } = wanted;
  const connection = await findConnection({ data, url, context });
  const { token } = connection;
  const who = (await callOperation(connection, me, {}, TIMEOUT_MS)) as { kind: string; name: string };
  if (token === undefined || who.kind !== 'agent')
    throw new CliFailure(
      `only agents take jobs, and this credential is ${escapeControl(`${who.kind} ${who.name}`)}`,
      exitCodes.denied,
      'Make one with `quarterdeck agent add NAME`, and set QUARTERDECK_TOKEN to its token.',
    );
  const sdk = await loadSdk();
  const worker = new sdk.Worker({
    qd: new sdk.Quarterdeck({ url: connection.url, token, agent: who.name }),
    queues,
    concurrency: wanted.concurrency,
    leaseSeconds: wanted.lease_seconds,
    stallSeconds: wanted.stall_seconds,
    stopSeconds: wanted.stop_seconds,
    outbox: wanted.outbox === undefined ? undefined : await openOutbox(sdk, wanted.outbox),
    log: (line) => output.say(escapeControl(line)),
  });
  const handler = async (job: SdkJob) => {
    const end = endOf(await runCommand(wanted.exec, job, (text) => process.stderr.write(text)));
    // Not ours any more, or not to be finished: the end of the command says nothing.
    job.signal.throwIfAborted();
    if (end.is === 'done') return end.result;
    throw end.again ? new Error(end.error) : new sdk.GiveUp(end.error);
  };
  for (const kind of wanted.kinds.length > 0 ? wanted.kinds : ['*']) worker.on(kind, handler);
  try {
    const ended: Promise<void> = worker.run();
    await ended;
    return exitCodes.ok;
  } catch (error) {
    throw failureOf(error);
  }
}

async function openOutbox(sdk: Sdk, path: string): Promise<object> {
  try {
    return await sdk.openOutcomes(path);
  } catch (error) {
    throw new CliFailure(`the outbox cannot be opened: ${(error as Error).message}`, exitCodes.failed);
  }
}

// The SDK's errors are known by their shape: its classes are loaded from a file of their own.
function failureOf(error: unknown): unknown {
  const { status, detail, hint, message } = error as Record<'status' | 'detail' | 'hint' | 'message', unknown>;
  if (typeof status !== 'number') return new CliFailure(String(message), exitCodes.failed);
  const exitCode = status === 0 ? exitCodes.unreachable : exitCodeOf(status);
  return new CliFailure(String(detail), exitCode, typeof hint === 'string' ? hint : undefined);
}

// Carries `up` out: configuration, keeper, the announcement when everything answers, and the end on a signal.
import { type Config, readConfig } from '../../../config.ts';
import { type Keeper, startKeeper } from '../../../roles/keeper/keeper.ts';
import { keeperLogger } from '../../../roles/keeper/keeper-logger.ts';
import { roleNames } from '../../../roles/role-file.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../local-operation.ts';
import { type Announcement, announcement, greet } from './announcement.ts';
import { detachedReport, startDetached } from './detached.ts';
import { checkExample, placeExample } from './examples.ts';
import { refusalOf } from './refusals.ts';
import type { UpInput } from './up.ts';

export async function start(input: UpInput, output: Output): Promise<number> {
  try {
    const { config: file, example } = input;
    const config = readConfig({ flags: input, env: process.env, cwd: process.cwd(), file });
    if (example !== undefined) checkExample(config, example);
    return input.detach ? await startDetached(config.dataDir, output) : await keep(config, input, output);
  } catch (error) {
    throw refusalOf(error);
  }
}

async function keep(config: Config, input: UpInput, output: Output): Promise<number> {
  const startedAt = performance.now();
  const stopSignal = listenForStop();
  const logger = keeperLogger(config, output.json ? 'json' : 'plain');
  let keeper: Keeper;
  try {
    keeper = await startKeeper({
      config,
      roles: input.only ?? roleNames,
      logger,
      command: ['quarterdeck', ...process.argv.slice(2)].join(' '),
      prepare(dataDir) {
        if (input.example !== undefined) placeExample(dataDir, input.example);
      },
      replace: input.replace,
      withoutCopy: input.upgrade_without_copy,
      signal: stopSignal.starting,
    });
  } catch (error) {
    if (stopSignal.starting.aborted) return exitCodes.interrupted;
    throw error;
  }
  stopSignal.onReread(() => void keeper.reread());
  tell(announcement(keeper), keeper, output, performance.now() - startedAt);
  logger.info({ ms: Math.round(performance.now() - startedAt) }, 'ready');

  await stopSignal.asked;
  logger.info('stopping');
  stopSignal.onNext(() => keeper.hurry());
  await keeper.stop();
  logger.info('stopped');
  return exitCodes.ok;
}

function tell(facts: Announcement, keeper: Keeper, output: Output, ms: number): void {
  if (detachedReport(facts, keeper, ms)) return;
  output.out(output.json ? JSON.stringify(facts) : greet(facts, keeper, ms));
}

interface StopSignal {
  /** Aborted when somebody asks while the start is under way. */
  readonly starting: AbortSignal;
  readonly asked: Promise<void>;
  /** Called for every later time. */
  onNext(again: () => void): void;
  /** Called when somebody says that an example was added or removed. */
  onReread(reread: () => void): void;
}

function listenForStop(): StopSignal {
  const abort = new AbortController();
  const asked = Promise.withResolvers<void>();
  let again: (() => void) | undefined;
  const onSignal = () => {
    again?.();
    abort.abort();
    asked.resolve();
  };
  // A terminal that closes means the same as Ctrl-C in it.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, onSignal);
  let rereading: (() => void) | undefined;
  // Listened to from the beginning, for without a listener the signal would end this process.
  process.on('SIGUSR2', () => rereading?.());
  return {
    starting: abort.signal,
    asked: asked.promise,
    onNext(next) {
      again = next;
    },
    onReread(reread) {
      rereading = reread;
    },
  };
}

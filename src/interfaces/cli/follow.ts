// What does not end by itself: the live feed of the log and the console of an agent.
import { readConsole } from '../../domains/fleet/operations.ts';
import { live } from '../../domains/log/operations.ts';
import { CliFailure, type Connection, callOperation, readAnswer, requestOf, send } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import { type Form, type Rendered, render } from './formats.ts';
import { ConsoleText, escapeControl } from './plain-text.ts';

const RETRY_MS = 1_000;
const EVENT = { ids: ['cursor'] };

/** Prints events as they come, one a line, from where it was after each break of the connection. */
export async function followEvents(
  connection: Connection,
  input: Readonly<Record<string, unknown>>,
  form: Form,
  print: (line: Rendered) => void,
): Promise<never> {
  if (form.format === 'csv') {
    throw new CliFailure('a feed without an end has no CSV', exitCodes.usage, 'Use -o ndjson.');
  }
  const isPlain = form.format === 'table' && form.fields === undefined;
  for await (const { event, state } of liveEvents(connection, input)) {
    if (state === 'reset') {
      process.stderr.write(
        'continuity is broken: the log was restored or moved, or what came next was archived; going on from now\n',
      );
    }
    if (event === undefined) continue;
    if (isPlain) print({ text: eventLine(event) });
    else print(await render(event, form.format === 'table' ? { ...form, format: 'ndjson' } : form, EVENT));
  }
  throw new CliFailure('the feed has ended', exitCodes.failed);
}

export type LiveEvent = Readonly<Record<string, unknown>>;

interface LiveNews {
  readonly event?: LiveEvent;
  /** `reset`: continuity is broken. `away`: the connection is lost and made again. Else how it was taken up. */
  readonly state?: string;
}

/** The live feed without an end, taken up where it was after each break. Throws when it cannot be opened at first. */
export async function* liveEvents(
  connection: Connection,
  input: Readonly<Record<string, unknown>>,
  signal?: AbortSignal,
): AsyncGenerator<LiveNews> {
  let after = input['after'];
  for (let first = true; !isEnded(signal); first = false) {
    try {
      const { path } = requestOf(live, { ...input, ...(after === undefined ? {} : { after }) });
      const headers = { accept: 'text/event-stream' };
      const response = await send(connection, path, { headers, ...(signal === undefined ? {} : { signal }) });
      if (!response.ok || response.body === null) await readAnswer(response);
      for await (const message of messages(response)) {
        if (message.id !== undefined) after = message.id;
        if (message.event === 'event') yield { event: JSON.parse(message.data) as LiveEvent };
        else if (message.event === 'state') yield { state: message.data.includes('"reset"') ? 'reset' : 'resumed' };
      }
    } catch (error) {
      if (isEnded(signal)) return;
      if (first || !mayPass(error)) throw error;
    }
    yield { state: 'away' };
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

function isEnded(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

// The server is away, the connection broke, or it answers that it may go well later.
function mayPass(error: unknown): boolean {
  if (!(error instanceof CliFailure)) return error instanceof TypeError;
  return error.exitCode === exitCodes.unreachable || error.problem?.['retryable'] === true;
}

/** Prints what an agent prints, going on where it was. */
export async function followConsole(
  connection: Connection,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number,
  write: (text: string) => void,
): Promise<never> {
  let after = input['after'];
  const plain = new ConsoleText();
  for (;;) {
    const wanted = { ...input, wait: 20, ...(after === undefined ? {} : { after }) };
    const answer = (await callOperation(connection, readConsole, wanted, timeoutMs)) as {
      text: string;
      next_offset: number;
    };
    write(plain.push(answer.text));
    after = answer.next_offset;
  }
}

/** One event on one line. */
export function eventLine(event: LiveEvent): string {
  const parts = [event['at'], event['source_agent'], event['event_type'], event['subject'] ?? '-'];
  return escapeControl(`${parts.join('  ')}  ${JSON.stringify(event['payload'])}`);
}

interface Message {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

async function* messages(response: Response): AsyncGenerator<Message> {
  let rest = '';
  const text = response.body!.pipeThrough(new TextDecoderStream());
  for await (const chunk of text) {
    rest += chunk;
    const blocks = rest.split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) {
      const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1];
      yield { id: field('id'), event: field('event') ?? 'message', data: field('data') ?? '' };
    }
  }
}

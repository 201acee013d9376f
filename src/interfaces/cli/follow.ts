// Commands that do not end by themselves: the live tail of the log and the console of an agent.
import { readConsole } from '../../domains/fleet/operations.ts';
import { live } from '../../domains/log/operations.ts';
import { CliFailure, type Connection, callOperation, readAnswer, requestOf, send } from './client.ts';
import { exitCodes } from './exit-codes.ts';
import type { Output } from './local-operation.ts';
import { escapeControl } from './show.ts';

const RETRY_MS = 1_000;

/** Prints events as they come, one a line, from where it was after each break of the connection. */
export async function followEvents(
  connection: Connection,
  input: Readonly<Record<string, unknown>>,
  output: Output,
): Promise<never> {
  let after = input['after'];
  for (let first = true; ; first = false) {
    try {
      const { path } = requestOf(live, { ...input, ...(after === undefined ? {} : { after }) });
      const response = await send(connection, path, { headers: { accept: 'text/event-stream' } });
      if (!response.ok || response.body === null) await readAnswer(response);
      for await (const message of messages(response)) {
        if (message.id !== undefined) after = message.id;
        if (message.event === 'state' && message.data.includes('"reset"')) {
          output.say('continuity is broken: the log was restored or moved; going on from now');
        }
        if (message.event === 'event') output.out(eventLine(message.data, output.json));
      }
    } catch (error) {
      const isAway = error instanceof CliFailure && error.exitCode === exitCodes.unreachable;
      if (first || !(isAway || error instanceof TypeError)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

/** Prints what an agent prints, going on where it was. */
export async function followConsole(
  connection: Connection,
  input: Readonly<Record<string, unknown>>,
  timeoutMs: number,
  write: (text: string) => void,
): Promise<never> {
  let after = input['after'];
  for (;;) {
    const wanted = { ...input, wait: 20, ...(after === undefined ? {} : { after }) };
    const answer = (await callOperation(connection, readConsole, wanted, timeoutMs)) as {
      text: string;
      next_offset: number;
    };
    write(answer.text);
    after = answer.next_offset;
  }
}

function eventLine(json: string, asJson: boolean): string {
  if (asJson) return json;
  const event = JSON.parse(json) as Record<string, unknown>;
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

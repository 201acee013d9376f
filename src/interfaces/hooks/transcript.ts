// What a session of Claude Code used, counted from its transcript: one JSON line a step. A message that streams stands there
// several times with growing numbers, so the largest of each counts; what subagents used stands in files of their own.
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

type Fields = Readonly<Record<string, unknown>>;

interface Message {
  readonly model: string;
  readonly usage: Readonly<Record<(typeof kinds)[number], number>>;
  readonly costUsd: number | undefined;
}

const kinds = ['input_tokens', 'output_tokens', 'cache_creation_input_tokens', 'cache_read_input_tokens'] as const;
const MOST_BYTES = 256 * 1024 * 1024;
const MOST_FILES = 500;

/** Tokens by kind, models and messages of the whole transcript; nothing of it when it cannot be read. */
export async function readUsage(path: unknown): Promise<Record<string, unknown>> {
  if (typeof path !== 'string' || !path.endsWith('.jsonl')) return {};
  const messages = new Map<string, Message>();
  let counted = 0;
  for (const file of [path, ...(await subagentFiles(path))]) {
    const bytes = await stat(file).then(
      (facts) => (facts.isFile() ? facts.size : undefined),
      () => undefined,
    );
    if (bytes === undefined || bytes > MOST_BYTES) continue;
    counted++;
    await readMessages(file, messages).catch(() => undefined);
  }
  if (counted === 0) return {};
  const all = [...messages.values()];
  const total = (kind: (typeof kinds)[number]) => all.reduce((sum, { usage }) => sum + usage[kind], 0);
  const costs = all.map(({ costUsd }) => costUsd).filter((cost) => cost !== undefined);
  return {
    ...Object.fromEntries(kinds.map((kind) => [kind, total(kind)])),
    model_messages: all.length,
    models: [...new Set(all.map(({ model }) => model))].slice(0, 20),
    // Only where each message says its cost; a sum of some would be believed to be the sum of all.
    ...(costs.length > 0 && costs.length === all.length
      ? { cost_usd: costs.reduce((sum, cost) => sum + cost, 0) }
      : {}),
  };
}

async function subagentFiles(path: string): Promise<string[]> {
  const dir = join(path.replace(/\.jsonl$/, ''), 'subagents');
  const names = await readdir(dir).catch(() => []);
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .slice(0, MOST_FILES)
    .map((name) => join(dir, name));
}

async function readMessages(file: string, messages: Map<string, Message>): Promise<void> {
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    const step = parse(line);
    const message = step?.['message'] as Fields | undefined;
    const usage = message?.['usage'] as Fields | undefined;
    if (step?.['type'] !== 'assistant' || message === undefined || usage === undefined) continue;
    const key = String(message['id'] ?? step['requestId'] ?? step['uuid']);
    const before = messages.get(key);
    messages.set(key, {
      model: typeof message['model'] === 'string' ? message['model'].slice(0, 100) : 'unknown',
      usage: Object.fromEntries(
        kinds.map((kind) => [kind, Math.max(numberIn(usage[kind]) ?? 0, before?.usage[kind] ?? 0)]),
      ) as Message['usage'],
      costUsd: numberIn(step['costUSD']) ?? before?.costUsd,
    });
  }
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function parse(line: string): Fields | undefined {
  try {
    return JSON.parse(line) as Fields;
  } catch {
    return undefined;
  }
}

// The `agents` section of quarterdeck.yaml: its schema, and the plan that makes the fleet equal to it. Pure rules; reading
// the file is src/config's, carrying the plan out is declared.ts's.
import { resolve } from 'node:path';
import { z } from 'zod';
import { slug } from '../../platform/fields.ts';

const text = (most: number) =>
  z
    .string()
    .min(1, 'some text')
    .max(most)
    .refine((value) => !value.includes('\0'), 'must not hold a NUL character');

const variable = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, 'a variable name: letters, digits and _');

const COMMAND = 'a command: a list of words, or a line with `shell: true`';
const RESERVED = /^(QUARTERDECK_|QD_)/;
const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const BYTES = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 } as const;

export const duration = z
  .string()
  .regex(/^\d{1,6}(\.\d{1,3})?[smhd]$/, 'a duration like 60s, 5m, 2h or 1d')
  .transform((value) => Number(value.slice(0, -1)) * SECONDS[value.at(-1) as keyof typeof SECONDS])
  .refine((seconds) => seconds >= 1 && seconds <= 604_800, 'between 1s and 7d');

const size = z
  .string()
  .regex(/^\d{1,6}(kb|mb|gb)$/i, 'a size like 500kb, 50mb or 1gb')
  .transform((value) => Number(value.slice(0, -2)) * BYTES[value.slice(-2).toLowerCase() as keyof typeof BYTES])
  .refine((bytes) => bytes >= 65_536 && bytes <= 10 * BYTES.gb, 'between 64kb and 10gb');

export const declaredAgent = z
  .strictObject({
    command: z
      .union([z.array(text(4096)).min(1, COMMAND).max(200), text(4096)], COMMAND)
      .describe('Program and arguments as a list; one line of text only together with `shell: true`'),
    shell: z.boolean().default(false).describe('Gives the line of `command` to /bin/sh'),
    cwd: text(1024).optional().describe('Working directory, relative to the directory of this file (the default)'),
    env: z
      .record(variable, z.union([text(8192), z.literal(''), z.number(), z.boolean()]).transform(String))
      .default({})
      .refine(
        (env) => !Object.keys(env).some((name) => RESERVED.test(name)),
        'QUARTERDECK_… and QD_… are set by the host',
      )
      .describe('Variables of its environment; never secrets, which belong under `secrets`'),
    secrets: z
      .array(variable)
      .max(50)
      .default([])
      .describe('Names of variables that the host takes from its own environment and gives to this agent alone'),
    queues: z.array(slug).max(50).default([]).describe('Queues it works on, for display'),
    silence_limit: duration
      .optional()
      .describe(
        'How long it may give no sign of life: a beat, a printed line, a call. Without it a running process suffices',
      ),
    on_silence: z
      .enum(['restart', 'report'])
      .default('restart')
      .describe('What the healer does when the limit is passed: restart it, three times an hour at most, or only tell'),
    restart: z
      .enum(['always', 'on-failure', 'never'])
      .default('always')
      .describe('When its process is started again after it ended by itself'),
    tenant: slug.default('fleet').describe('The tenant it belongs to; the fleet itself when absent'),
    host: slug.optional().describe('Only the host of this name runs it; any host when absent'),
    log_cap: size.optional().describe('Size of one log file, of which five are kept; 50mb when absent'),
  })
  .superRefine((agent, context) => {
    if (agent.shell === (typeof agent.command === 'string')) return;
    const message = agent.shell ? 'with `shell: true` give one line of text' : 'give a list, or set `shell: true`';
    context.addIssue({ code: 'custom', path: ['command'], message, input: agent.command });
  });

/** The `agents` section: declared agents by name. */
export const agentsSection = z
  .record(slug, declaredAgent)
  .refine((agents) => Object.keys(agents).length <= 500, 'at most 500 agents')
  .describe('The agents that this installation starts and watches, by name');

export type AgentsSection = z.output<typeof agentsSection>;

/** How a supervised agent runs, as the database keeps it. */
export interface Supervision {
  readonly command: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly restart: 'always' | 'on-failure' | 'never';
  readonly silence_limit_seconds: number | null;
  readonly on_silence: 'restart' | 'report';
  readonly log_cap_bytes: number;
  readonly queues: readonly string[];
  readonly host: string | null;
}

/** What the file says of one agent; relative paths start at `baseDir`, the directory of the file. */
export function supervisionOf(agent: AgentsSection[string], baseDir: string): Supervision {
  return {
    command: typeof agent.command === 'string' ? ['/bin/sh', '-c', agent.command] : agent.command,
    cwd: resolve(baseDir, agent.cwd ?? '.'),
    env: agent.env,
    secrets: agent.secrets,
    restart: agent.restart,
    silence_limit_seconds: agent.silence_limit ?? null,
    on_silence: agent.on_silence,
    log_cap_bytes: agent.log_cap ?? 50 * BYTES.mb,
    queues: agent.queues,
    host: agent.host ?? null,
  };
}

/** Fields whose change only a new process takes up. */
const NEEDS_RESTART: readonly (keyof Supervision)[] = ['command', 'cwd', 'env', 'secrets', 'host'];

/** Which fields differ, and whether the process must be started anew for them. */
export function compareSupervision(
  now: Supervision,
  wanted: Supervision,
): { readonly changed: string[]; readonly restart: boolean } {
  const fields = Object.keys(wanted) as (keyof Supervision)[];
  const changed = fields.filter((field) => canonical(now[field]) !== canonical(wanted[field]));
  return { changed, restart: changed.some((field) => NEEDS_RESTART.includes(field)) };
}

// The database gives the keys of an object back in an order of its own.
function canonical(value: unknown): string {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return JSON.stringify(value);
  return JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// quarterdeck.yaml: which sections it has, and how a file is read into them. Each section's shape belongs to its room.
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type AgentsSection, agentsSection } from '../domains/fleet/manifest.ts';
import { channelsSection, type DeclaredWork, schedulesSection } from '../domains/work/manifest.ts';
import { readYaml, YamlRefused, type YamlText } from '../platform/strict-yaml.ts';
import { type ConfigProblem, ConfigRefused, problemsOf } from './problems.ts';
import { type SettingKey, settingKeys, settings } from './settings.ts';

/** What the manifest declares of the fleet and of work. What a file declares, the file decides. */
export const sections = { agents: agentsSection, channels: channelsSection, schedules: schedulesSection };

/** Agents by name, as the manifest declares them; `cwd` is absolute. */
export type DeclaredAgents = Readonly<AgentsSection>;

export interface Manifest {
  /** Absolute path. */
  readonly file: string;
  readonly settings: Readonly<Partial<Record<SettingKey, unknown>>>;
  readonly agents: DeclaredAgents;
  readonly work: DeclaredWork;
  /** `quarterdeck.yaml:12`, for a key in it. */
  placeOf(path: readonly PropertyKey[]): string;
}

export const manifestSchema = z.strictObject({
  ...Object.fromEntries(
    settingKeys.filter((key) => settings[key].manifest).map((key) => [key, settings[key].schema.optional()]),
  ),
  agents: sections.agents.optional(),
  channels: sections.channels.optional(),
  schedules: sections.schedules.optional(),
});

/** Reads and checks a manifest. `shown` is how messages name it. Throws ConfigRefused. */
export function readManifest(file: string, shown: string): Manifest {
  const yaml = readText(file, shown);
  const placeOf = (path: readonly PropertyKey[]) => `${shown}:${yaml.lineOf(path)}`;
  const value = yaml.value ?? {};
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw new ConfigRefused(problemsOf(parsed.error, { schema: manifestSchema, value }, placeOf));
  const unstorable = findUnstorable(value, []);
  if (unstorable !== undefined) {
    throw new ConfigRefused([
      { place: placeOf(unstorable), key: unstorable.join('.'), expected: 'text without NUL characters' },
    ]);
  }
  const { agents = {}, channels = {}, schedules = {}, ...given } = parsed.data;
  return { file, settings: given, agents: placeAgents(agents, dirname(file)), work: { channels, schedules }, placeOf };
}

function readText(file: string, shown: string): YamlText {
  try {
    return readYaml(readFileSync(file, 'utf8'));
  } catch (error) {
    const problem: ConfigProblem =
      error instanceof YamlRefused
        ? { place: `${shown}:${error.line}`, expected: error.message }
        : { place: shown, expected: `cannot be read (${(error as NodeJS.ErrnoException).code ?? String(error)})` };
    throw new ConfigRefused([problem]);
  }
}

// Relative directories count from the manifest, so that it means the same wherever the start is typed.
function placeAgents(agents: DeclaredAgents, base: string): DeclaredAgents {
  return Object.fromEntries(
    Object.entries(agents).map(([name, agent]) => [name, { ...agent, cwd: resolve(base, agent.cwd ?? '.') }]),
  );
}

// Neither a command line nor the database takes a NUL; refused here, it has a line number.
function findUnstorable(value: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] | undefined {
  if (typeof value === 'string') return value.includes('\0') ? path : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, item] of Object.entries(value)) {
    const found = findUnstorable(item, [...path, Array.isArray(value) ? Number(key) : key]);
    if (found !== undefined) return found;
  }
  return undefined;
}

// The configuration of one start: flags over environment over quarterdeck.yaml over defaults, checked and frozen. Nothing
// else in the program reads settings from the environment.
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { z } from 'zod';
import { type DeclaredAgents, type Manifest, readManifest } from './config/manifest.ts';
import { type ConfigProblem, ConfigRefused, show } from './config/problems.ts';
import { isLoopback, type SettingKey, type SettingValues, settingKeys, settings } from './config/settings.ts';
import type { DeclaredWork } from './domains/work/manifest.ts';
import type { Origin } from './platform/settings.ts';

export { type ConfigProblem, ConfigRefused } from './config/problems.ts';

export interface Config {
  readonly dataDir: string;
  readonly apiPort: number;
  readonly relayPort: number;
  readonly edgePort: number;
  readonly bind: string;
  /** Listening beyond this machine without TLS was allowed in so many words. */
  readonly insecureBind: boolean;
  readonly publicUrl: string | undefined;
  readonly logLevel: string;
  /** Absolute. */
  readonly archiveDir: string;
  readonly logKeepDays: number | undefined;
  readonly workKeepDays: number | undefined;
  readonly databaseUrl: string | undefined;
  readonly databaseDirectUrl: string | undefined;
  readonly otlpEndpoint: string | undefined;
  /** As `name=value`, more of them after commas. */
  readonly otlpHeaders: string | undefined;
  readonly traceRatio: number;
  /** Every agent that the operator's manifest declares. */
  readonly agents: DeclaredAgents;
  /** Every channel and schedule that it declares. */
  readonly work: DeclaredWork;
  /** The agents of each example that is there, by its name. */
  readonly examples: Readonly<Record<string, DeclaredAgents>>;
  /** The manifests that were read, absolute; none when there is no quarterdeck.yaml. */
  readonly manifests: readonly string[];
  /** Where each setting came from. */
  readonly origins: Readonly<Record<SettingKey, Origin>>;
}

export interface ConfigSource {
  /** Settings given on the command line, by key; absent ones are undefined. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** The manifest asked for. Without it ./quarterdeck.yaml, when it is there. */
  readonly file?: string | undefined;
}

const NO_WORK: DeclaredWork = { channels: {}, schedules: {} };
const DEFAULT_FILE = 'quarterdeck.yaml';
/** Where the keeper had each setting from, for its roles. */
const ORIGINS = 'QUARTERDECK_SETTINGS_FROM';
const originsSchema = z.partialRecord(
  z.enum(Object.keys(settings) as [SettingKey, ...SettingKey[]]),
  z.strictObject({ from: z.enum(['flag', 'environment', 'manifest', 'default']), place: z.string().max(5000) }),
);

/** Throws ConfigRefused with everything that is wrong. */
export function readConfig(source: ConfigSource): Config {
  const manifest = findManifest(source);
  const { values, origins } = resolveSettings(source, manifest);
  checkTogether(values, origins);
  return freeze({
    ...toConfig(values),
    agents: manifest?.agents ?? {},
    work: manifest?.work ?? NO_WORK,
    examples: {},
    manifests: manifest === undefined ? [] : [manifest.file],
    origins,
  });
}

/** One setting as a start typed here would find it. */
export interface ExplainedSetting {
  readonly key: SettingKey;
  /** Undefined where nobody gave one and there is no fallback, and where what was given is wrong. */
  readonly value: unknown;
  readonly origin: Origin;
}

export interface ExplainedConfig {
  readonly settings: readonly ExplainedSetting[];
  /** Everything that would stop a start. */
  readonly problems: readonly ConfigProblem[];
  /** The manifest that was read; undefined where there is none, and where it is refused. */
  readonly manifest: Manifest | undefined;
}

/** What a start typed here would use and why, also where it would be refused. */
export function explainConfig(source: ConfigSource): ExplainedConfig {
  let manifest: Manifest | undefined;
  let refused: readonly ConfigProblem[] = [];
  try {
    manifest = findManifest(source);
  } catch (error) {
    if (!(error instanceof ConfigRefused)) throw error;
    refused = error.problems;
  }
  const { values, origins, problems } = weigh(source, manifest);
  const found = [...refused, ...problems];
  return {
    settings: settingKeys.map((key) => ({ key, value: values[key], origin: origins[key] })),
    problems: found.length > 0 ? found : problemsTogether(values, origins),
    manifest,
  };
}

/** The configuration of a role: what its keeper handed on in its environment, see environmentOf. */
export function readRoleConfig(env: NodeJS.ProcessEnv): Config {
  const { values, origins: own } = resolveSettings({ flags: {}, env, cwd: '/' }, undefined);
  const origins = { ...own, ...originsIn(env[ORIGINS]) };
  return freeze({ ...toConfig(values), agents: {}, work: NO_WORK, examples: {}, manifests: [], origins });
}

/** The variables that give a role the same settings, and where the keeper had them from. */
export function environmentOf(config: Config): Record<string, string> {
  const values = valuesOf(config);
  const given = settingKeys
    .filter((key) => values[key] !== undefined)
    .map((key) => [settings[key].environment, String(values[key])]);
  return { ...Object.fromEntries(given), [ORIGINS]: JSON.stringify(config.origins) };
}

// Only told on, to whoever asks: origins that cannot be read are no reason not to start.
function originsIn(text: string | undefined): Partial<Record<SettingKey, Origin>> {
  try {
    return originsSchema.parse(JSON.parse(text ?? '{}'));
  } catch {
    return {};
  }
}

/** The settings by their keys, as they hold. */
export function valuesOf(config: Config): Record<SettingKey, unknown> {
  return {
    data: config.dataDir,
    api_port: config.apiPort,
    relay_port: config.relayPort,
    edge_port: config.edgePort,
    bind: config.bind,
    insecure_bind: config.insecureBind,
    public_url: config.publicUrl,
    log_level: config.logLevel,
    archive: config.archiveDir,
    log_keep_days: config.logKeepDays,
    work_keep_days: config.workKeepDays,
    database_url: config.databaseUrl,
    database_direct_url: config.databaseDirectUrl,
    otlp_endpoint: config.otlpEndpoint,
    otlp_headers: config.otlpHeaders,
    trace_ratio: config.traceRatio,
  };
}

/** The same configuration with an example's agents beside its own. Throws ConfigRefused where names of a tenant meet. */
export function withExample(config: Config, name: string, file: string, shown: string): Config {
  const manifest = readManifest(file, shown);
  const taken = new Set([config.agents, ...Object.values(config.examples)].flatMap(addressesOf));
  const problems: ConfigProblem[] = [
    ...Object.keys(manifest.settings).map((key) => ({
      place: manifest.placeOf([key]),
      key,
      expected: 'only the main manifest has settings',
    })),
    ...Object.entries(manifest.work).flatMap(([section, named]) =>
      Object.keys(named).map((name) => ({
        place: manifest.placeOf([section, name]),
        key: `${section}.${name}`,
        expected: `only the main manifest has ${section}`,
      })),
    ),
    ...Object.entries(manifest.agents)
      .filter(([agent, { tenant }]) => taken.has(`${agent}@${tenant}`))
      .map(([agent]) => ({
        place: manifest.placeOf(['agents', agent]),
        key: `agents.${agent}`,
        expected: 'a name that no other agent of its tenant has',
        seen: agent,
      })),
  ];
  if (problems.length > 0) throw new ConfigRefused(problems);
  return freeze({ ...config, examples: { ...config.examples, [name]: manifest.agents } });
}

function addressesOf(agents: DeclaredAgents): string[] {
  return Object.entries(agents).map(([name, { tenant }]) => `${name}@${tenant}`);
}

function findManifest({ file, env, cwd }: ConfigSource): Manifest | undefined {
  const asked = file ?? (env['QUARTERDECK_CONFIG'] || undefined);
  const path = resolve(cwd, asked ?? DEFAULT_FILE);
  if (asked === undefined && !existsSync(path)) return undefined;
  const shown = relative(cwd, path);
  return readManifest(path, shown === '' || shown.startsWith('..') ? path : shown);
}

interface Resolved {
  readonly values: SettingValues;
  readonly origins: Record<SettingKey, Origin>;
}

function resolveSettings(source: ConfigSource, manifest: Manifest | undefined): Resolved {
  const { values, origins, problems } = weigh(source, manifest);
  if (problems.length > 0) throw new ConfigRefused(problems);
  return { values, origins };
}

// Each setting by itself: the value that won where its schema takes it, and what is wrong where it does not.
function weigh(
  source: ConfigSource,
  manifest: Manifest | undefined,
): Resolved & { readonly problems: readonly ConfigProblem[] } {
  const values: Partial<Record<SettingKey, unknown>> = {};
  const origins: Partial<Record<SettingKey, Origin>> = {};
  const problems: ConfigProblem[] = [];
  for (const key of settingKeys) {
    const { value, origin } = choose(key, source, manifest);
    origins[key] = origin;
    if (value === undefined) continue;
    const parsed = settings[key].schema.safeParse(value);
    if (parsed.success) values[key] = parsed.data;
    else {
      problems.push({
        place: origin.place,
        key,
        seen: settings[key].secret ? '[masked]' : show(value, [key]),
        expected: parsed.error.issues[0]?.message ?? 'another value',
      });
    }
  }
  for (const key of ['data', 'archive'] as const) {
    const path = values[key];
    if (path !== undefined) values[key] = resolve(baseOf(origins[key], source, manifest), String(path));
  }
  // Each value has just passed the schema of its key.
  return { values: values as SettingValues, origins: origins as Record<SettingKey, Origin>, problems };
}

function choose(
  key: SettingKey,
  source: ConfigSource,
  manifest: Manifest | undefined,
): { value: unknown; origin: Origin } {
  const declared = settings[key];
  const flag = declared.flag ? source.flags[key] : undefined;
  if (flag !== undefined) return { value: flag, origin: { from: 'flag', place: `--${key.replaceAll('_', '-')}` } };
  const text = source.env[declared.environment];
  // An empty variable is how a shell says "not set".
  if (text !== undefined && text !== '') {
    const value = declared.fromText(text);
    return { value, origin: { from: 'environment', place: declared.environment } };
  }
  const written = manifest?.settings[key];
  if (manifest !== undefined && written !== undefined) {
    return { value: written, origin: { from: 'manifest', place: manifest.placeOf([key]) } };
  }
  return { value: declared.fallback?.(), origin: { from: 'default', place: 'default' } };
}

function baseOf(origin: Origin | undefined, source: ConfigSource, manifest: Manifest | undefined): string {
  return origin?.from === 'manifest' && manifest !== undefined ? resolve(manifest.file, '..') : source.cwd;
}

function checkTogether(values: SettingValues, origins: Record<SettingKey, Origin>): void {
  const problems = problemsTogether(values, origins);
  if (problems.length > 0) throw new ConfigRefused(problems);
}

function problemsTogether(values: SettingValues, origins: Record<SettingKey, Origin>): readonly ConfigProblem[] {
  const { bind = '', public_url, insecure_bind } = values;
  if (isLoopback(bind) || insecure_bind === true || public_url?.startsWith('https:')) return [];
  return [
    {
      place: origins.bind.place,
      key: 'bind',
      seen: show(bind, ['bind']),
      expected: 'an address of this machine only, or `public_url` with https (TLS in front), or `insecure_bind: true`',
    },
  ];
}

function toConfig(values: SettingValues): Omit<Config, 'agents' | 'work' | 'examples' | 'manifests' | 'origins'> {
  return {
    dataDir: values.data!,
    apiPort: values.api_port!,
    relayPort: values.relay_port!,
    edgePort: values.edge_port!,
    bind: values.bind!,
    insecureBind: values.insecure_bind!,
    publicUrl: values.public_url === undefined ? undefined : new URL(values.public_url).origin,
    logLevel: values.log_level!,
    archiveDir: values.archive ?? join(values.data!, 'archive'),
    logKeepDays: values.log_keep_days,
    workKeepDays: values.work_keep_days,
    databaseUrl: values.database_url,
    databaseDirectUrl: values.database_direct_url,
    otlpEndpoint: values.otlp_endpoint,
    otlpHeaders: values.otlp_headers,
    traceRatio: values.trace_ratio!,
  };
}

function freeze<T extends object>(value: T): T {
  for (const item of Object.values(value)) if (typeof item === 'object' && item !== null) freeze(item);
  return Object.freeze(value);
}

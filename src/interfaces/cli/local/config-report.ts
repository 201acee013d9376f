// What `config explain` and `config check` tell: the settings as rows with secrets masked, and what is right but unwise.
import { statSync } from 'node:fs';
import { missingPrograms } from '../../../config/missing-programs.ts';
import { show } from '../../../config/problems.ts';
import { settings } from '../../../config/settings.ts';
import { type ExplainedConfig, explainConfig } from '../../../config.ts';
import type { Place } from './place.ts';

export interface SettingRow extends Record<string, unknown> {
  readonly key: string;
  readonly value: string;
  /** `default`, `--api-port`, `QUARTERDECK_API_PORT`, `quarterdeck.yaml:3`. */
  readonly origin: string;
  readonly what: string;
  /** Every place that may give it, the strongest first. */
  readonly ways: readonly string[];
}

export function readPlace({ data, config }: Place): ExplainedConfig {
  return explainConfig({ flags: { data }, env: process.env, cwd: process.cwd(), file: config });
}

export function settingRows({ settings: explained, problems }: ExplainedConfig): SettingRow[] {
  return explained.map(({ key, value, origin }) => {
    const { schema, environment, flag, manifest, secret, fallbackWords } = settings[key];
    const isWrong = problems.some((problem) => problem.key === key && problem.place === origin.place);
    const absent = isWrong ? 'wrong, see below' : `none: ${fallbackWords ?? 'not set'}`;
    return {
      key,
      value: value === undefined ? absent : secret ? '[masked]' : plain(value, key),
      origin: origin.place,
      what: schema.description ?? '',
      ways: [
        ...(flag ? [`--${key.replaceAll('_', '-')}`] : []),
        environment,
        ...(manifest ? [`${key}: in quarterdeck.yaml`] : []),
      ],
    };
  });
}

function plain(value: unknown, key: string): string {
  const text = show(value, [key]);
  return text.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text;
}

/** Sentences; a start goes on all the same. */
export function advice({ manifest, settings: explained }: ExplainedConfig): string[] {
  const found: string[] = [];
  if (manifest !== undefined) {
    for (const { agent, program } of missingPrograms(manifest.agents, process.env['PATH'] ?? '')) {
      found.push(`agents.${agent}: its program ${program} is not there now`);
    }
    const secrets = Object.entries(manifest.agents).flatMap(([agent, { env = {} }]) =>
      Object.keys(env)
        .filter(soundsSecret)
        .map((name) => `agents.${agent}.env.${name}`),
    );
    const mode = statSync(manifest.file).mode & 0o777;
    if (secrets.length > 0 && (mode & 0o077) !== 0) {
      found.push(
        `${manifest.file} can be read by others (mode ${mode.toString(8)}) and holds what sounds like a secret: ${secrets.join(', ')}. Close it with \`chmod 600\`, or use \`secrets:\``,
      );
    }
  }
  if (explained.some(({ key, value }) => key === 'insecure_bind' && value === true)) {
    found.push('insecure_bind: whoever is on the way reads every token');
  }
  return found;
}

function soundsSecret(name: string): boolean {
  return /secret|token|passw|credential|api_?key|private_?key/i.test(name);
}

// Every setting of the program, once: flags, variables, quarterdeck.yaml, the reference page and the commented example
// are all made from this table. What the manifest declares of the fleet (agents and so on) is in manifest.ts.
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { integerFromText, numberFromText, setting, switchFromText } from '../platform/settings.ts';

const port = z.int('a port number').min(0, 'a port from 0 to 65535').max(65_535, 'a port from 0 to 65535');
const days = z.int('a number of days').min(1, 'at least 1 day').max(36_500, 'at most 36500 days');

export const settings = {
  data: setting({
    schema: z
      .string('a directory')
      .min(1, 'a directory')
      .max(4096)
      .describe(
        'Directory of everything that is kept: database, logs, secrets. Relative paths count from where it is said',
      )
      .meta({ examples: ['/srv/quarterdeck'] }),
    environment: 'QUARTERDECK_DATA',
    fallback: () => (process.getuid?.() === 0 ? '/var/lib/quarterdeck' : join(homedir(), '.quarterdeck')),
    fallbackWords: '~/.quarterdeck; as root /var/lib/quarterdeck',
  }),
  api_port: setting({
    schema: port.describe('Port of the control center and the API; 0 chooses a free one').meta({ examples: [4600] }),
    environment: 'QUARTERDECK_API_PORT',
    fromText: integerFromText,
    fallback: () => 4600,
  }),
  relay_port: setting({
    schema: port.describe('Port of the relay; 0 chooses a free one').meta({ examples: [3500] }),
    environment: 'QUARTERDECK_RELAY_PORT',
    fromText: integerFromText,
    fallback: () => 3500,
  }),
  edge_port: setting({
    schema: port.describe('Port of the edge server; 0 chooses a free one').meta({ examples: [8080] }),
    environment: 'QUARTERDECK_EDGE_PORT',
    fromText: integerFromText,
    fallback: () => 8080,
  }),
  bind: setting({
    schema: z
      .string('an IP address')
      .refine((text) => text === 'localhost' || isIP(text) !== 0, 'an IP address')
      .describe('Address to listen on. Beyond this machine it needs `public_url` with https, or `insecure_bind`')
      .meta({ examples: ['127.0.0.1'] }),
    environment: 'QUARTERDECK_BIND',
    fallback: () => '127.0.0.1',
  }),
  insecure_bind: setting({
    schema: z
      .boolean('true or false')
      .describe('Listen beyond this machine without TLS in front; whoever is on the way reads every token')
      .meta({ examples: [false] }),
    environment: 'QUARTERDECK_INSECURE_BIND',
    fromText: switchFromText,
    fallback: () => false,
  }),
  public_url: setting({
    schema: z
      .string('an address like https://deck.example.com')
      .refine(isOrigin, 'http:// or https:// and a host name, without a path')
      .describe('Address under which browsers and agents reach the API, when it is not the one it listens on')
      .meta({ examples: ['https://deck.example.com'] }),
    environment: 'QUARTERDECK_PUBLIC_URL',
    fallbackWords: 'the address it listens on',
  }),
  log_level: setting({
    schema: z
      .enum(['trace', 'debug', 'info', 'warn', 'error'], 'trace, debug, info, warn or error')
      .describe('How much the parts write into their log files')
      .meta({ examples: ['info'] }),
    environment: 'QUARTERDECK_LOG_LEVEL',
    fallback: () => 'info' as const,
  }),
  archive: setting({
    schema: z
      .string('a directory')
      .min(1, 'a directory')
      .max(4096)
      .describe(
        'Directory of archives; one that all machines share where several run. Relative paths count from where it is said',
      )
      .meta({ examples: ['/srv/quarterdeck-archive'] }),
    environment: 'QUARTERDECK_ARCHIVE',
    fallbackWords: '`archive` in the data directory',
  }),
  log_keep_days: setting({
    schema: days
      .describe('Events that are older leave the database for the archive, a partition of ten million at a time')
      .meta({ examples: [400] }),
    environment: 'QUARTERDECK_LOG_KEEP_DAYS',
    fromText: integerFromText,
    fallbackWords: 'every event stays in the database',
  }),
  work_keep_days: setting({
    schema: days.describe('Jobs that ended longer ago are removed for good, a week at a time').meta({ examples: [90] }),
    environment: 'QUARTERDECK_WORK_KEEP_DAYS',
    fromText: integerFromText,
    fallbackWords: 'every job stays',
  }),
  database_url: setting({
    schema: z
      .string('postgres://user:password@host:port/database')
      .refine(isDatabaseUrl, 'postgres://user:password@host:port/database')
      .describe('A PostgreSQL (15 or newer) of your own instead of the embedded one; the user owns the database')
      .meta({ examples: ['postgres://quarterdeck:secret@db.example.com:5432/quarterdeck'] }),
    environment: 'DATABASE_URL',
    flag: false,
    manifest: false,
    secret: true,
    fallbackWords: 'the embedded PostgreSQL',
  }),
  database_direct_url: setting({
    schema: z
      .string('postgres://user:password@host:port/database')
      .refine(isDatabaseUrl, 'postgres://user:password@host:port/database')
      .describe('The same database without the pooler between, where `DATABASE_URL` goes through one')
      .meta({ examples: ['postgres://quarterdeck:secret@db.example.com:5432/quarterdeck'] }),
    environment: 'DATABASE_DIRECT_URL',
    flag: false,
    manifest: false,
    secret: true,
    fallbackWords: '`DATABASE_URL`',
  }),
  otlp_endpoint: setting({
    schema: z
      .string('an address like http://127.0.0.1:4318')
      .refine(isPlainUrl, 'http:// or https:// and a host, without user, password, query or fragment')
      .describe('Collector that gets traces by OTLP over HTTP in JSON, at `/v1/traces` below it')
      .meta({ examples: ['http://127.0.0.1:4318'] }),
    environment: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    flag: false,
    fallbackWords: 'no traces',
  }),
  otlp_headers: setting({
    schema: z
      .string('name=value, more of them after commas')
      .max(8_000)
      .refine((text) => headersIn(text) !== undefined, 'name=value, more of them after commas')
      .describe('Headers for the collector, most often a credential; values are percent-encoded')
      .meta({ examples: ['authorization=Bearer%20secret'] }),
    environment: 'OTEL_EXPORTER_OTLP_HEADERS',
    flag: false,
    manifest: false,
    secret: true,
    fallbackWords: 'none',
  }),
  trace_ratio: setting({
    schema: z
      .number('a number from 0 to 1')
      .min(0, 'a number from 0 to 1')
      .max(1, 'a number from 0 to 1')
      .describe('Share of the traces begun here that are recorded; whoever brings a trace has decided for it')
      .meta({ examples: [0.1] }),
    environment: 'OTEL_TRACES_SAMPLER_ARG',
    flag: false,
    fromText: numberFromText,
    fallback: () => 1,
  }),
};

export type SettingKey = keyof typeof settings;
export type SettingValues = {
  readonly [K in SettingKey]: z.output<(typeof settings)[K]['schema']> | undefined;
};
export const settingKeys = Object.keys(settings) as SettingKey[];

/** The settings that may stand on a command line, each optional, for the input of a command. */
export const settingFlags = {
  data: settings.data.schema.optional(),
  api_port: settings.api_port.schema.optional(),
  relay_port: settings.relay_port.schema.optional(),
  edge_port: settings.edge_port.schema.optional(),
  bind: settings.bind.schema.optional(),
  insecure_bind: settings.insecure_bind.schema.optional(),
  public_url: settings.public_url.schema.optional(),
  log_level: settings.log_level.schema.optional(),
  archive: settings.archive.schema.optional(),
  log_keep_days: settings.log_keep_days.schema.optional(),
  work_keep_days: settings.work_keep_days.schema.optional(),
};

export function isLoopback(address: string): boolean {
  return address === 'localhost' || address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return url.origin === text || `${url.origin}/` === text;
}

function isPlainUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return url.username === '' && url.password === '' && url.search === '' && url.hash === '';
}

/** The headers of `name=value,name=value`; undefined when it is something else. */
export function headersIn(text: string): Record<string, string> | undefined {
  try {
    const pairs = text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new TypeError('no name before a =');
      return [pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())] as const;
    });
    const isWell = pairs.every(([name, value]) => /^[A-Za-z0-9-]+$/.test(name) && /^[\x20-\x7e]*$/.test(value));
    return isWell ? Object.fromEntries(pairs) : undefined;
  } catch {
    return undefined;
  }
}

function isDatabaseUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && ['postgres:', 'postgresql:'].includes(url.protocol) && url.pathname.length > 1;
}

// Which server a command speaks to, and with which token: what was said on the command line outranks the environment, and
// that what is kept. A token goes only to the server it belongs to.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLoopback } from '../../config/settings.ts';
import { CliFailure, type Connection } from './client.ts';
import { Contexts, LOCAL } from './contexts.ts';
import { exitCodes } from './exit-codes.ts';
import { escapeControl } from './plain-text.ts';

export interface ConnectionFlags {
  readonly url?: string | undefined;
  readonly context?: string | undefined;
  readonly data?: string | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** `--url`, `--context`, `--data`; QUARTERDECK_URL, _CONTEXT, _DATA; the chosen context; the installation of this machine. */
export async function findConnection(flags: ConnectionFlags, env: Environment = process.env): Promise<Connection> {
  const { url, context, data } = flags;
  if (url !== undefined && context !== undefined) {
    throw new CliFailure('--url and --context name a server each', exitCodes.usage, 'Give one of them.');
  }
  if (url !== undefined) return atUrl(url, '--url', data, env);
  if (context !== undefined) return inContext(context, data, env);
  if (data !== undefined) return atInstallation(data, env);
  if (env['QUARTERDECK_URL']) return atUrl(env['QUARTERDECK_URL'], 'QUARTERDECK_URL', data, env);
  if (env['QUARTERDECK_CONTEXT']) return inContext(env['QUARTERDECK_CONTEXT'], data, env);
  if (env['QUARTERDECK_DATA']) return atInstallation(env['QUARTERDECK_DATA'], env);
  return inContext(new Contexts(env).current(), data, env);
}

// A context that keeps no token takes it from the environment, for whoever has a vault of their own.
async function inContext(name: string, data: string | undefined, env: Environment): Promise<Connection> {
  if (name === LOCAL) return atInstallation(data ?? (await dataDir(env)), env);
  const { url, token } = new Contexts(env).get(name);
  return { url: addressOf(url, `the context ${name}`), token: token ?? (env['QUARTERDECK_TOKEN'] || undefined) };
}

async function atInstallation(data: string, env: Environment): Promise<Connection> {
  const url = await recordedUrl(data);
  if (url === undefined) {
    throw new CliFailure(
      `Quarterdeck is not running from ${escapeControl(data)}`,
      exitCodes.unreachable,
      'Start it with `bin/up`, or say where it is with --data, --url or --context.',
    );
  }
  return { url: addressOf(url, data), token: env['QUARTERDECK_TOKEN'] || (await operatorToken(data)) };
}

async function atUrl(text: string, place: string, data: string | undefined, env: Environment): Promise<Connection> {
  const url = addressOf(text, place);
  if (env['QUARTERDECK_TOKEN']) return { url, token: env['QUARTERDECK_TOKEN'] };
  const directory = data ?? (env['QUARTERDECK_DATA'] || (await dataDir(env)));
  // The operator's token of this machine is never sent to a server elsewhere because an address was typed.
  const isOurs = isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, '')) || (await recordedUrl(directory)) === url;
  return { url, token: isOurs ? await operatorToken(directory) : undefined };
}

/** An address without a slash at its end. Throws CliFailure for what is none. */
export function addressOf(text: string, place: string): string {
  const url = URL.parse(text);
  if (url === null || !['http:', 'https:'].includes(url.protocol) || url.username !== '' || url.password !== '') {
    throw new CliFailure(
      `${place} is not the address of a server: ${escapeControl(text)}`,
      exitCodes.usage,
      'It looks like https://deck.example.com, without a user and a password.',
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

async function recordedUrl(data: string): Promise<string | undefined> {
  const text = await readFile(join(data, 'run', 'api.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { url } = JSON.parse(text) as { url?: unknown };
    return typeof url === 'string' ? url.replace(/\/+$/, '') : undefined;
  } catch {
    // A power cut may have left it empty: then nothing runs from there.
    return undefined;
  }
}

async function operatorToken(data: string): Promise<string | undefined> {
  return (await readFile(join(data, 'operator.token'), 'utf8').catch(() => undefined))?.trim();
}

// The manifest may name the directory; reading it is left out where there is none, for it takes a while.
async function dataDir(env: Environment): Promise<string> {
  const { findDataDir } = await import('./local/place.ts');
  const { settings } = await import('../../config/settings.ts');
  if (!env['QUARTERDECK_CONFIG'] && !existsSync('quarterdeck.yaml')) return settings.data.fallback?.() ?? '.';
  return (await findDataDir({})).dataDir;
}

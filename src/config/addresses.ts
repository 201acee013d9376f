// The addresses that follow from a configuration.
import type { Config } from '../config.ts';

const EVERYWHERE = new Set(['0.0.0.0', '::']);

/** Where programs of this machine reach the API. */
export function localApiUrl(config: Pick<Config, 'bind' | 'apiPort'>): string {
  const host = EVERYWHERE.has(config.bind) ? '127.0.0.1' : config.bind;
  return `http://${host.includes(':') ? `[${host}]` : host}:${config.apiPort}`;
}

/** Where people reach the control center. */
export function apiUrl(config: Pick<Config, 'bind' | 'apiPort' | 'publicUrl'>): string {
  return config.publicUrl ?? localApiUrl(config);
}

// Which hosts this server answers for and which pages may speak to it. Guards against DNS rebinding and cross-site
// requests; ports count, because cookies ignore them.
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { platformErrors } from '../../platform/platform-errors.ts';

export interface OriginRules {
  /** Address under which the page is reached from outside, when there is one. */
  readonly publicUrl?: string | undefined;
  /** The operator chose to listen on a public address without TLS in front: any IP address is a valid host then. */
  readonly anyAddress?: boolean | undefined;
}

const LOOPBACK = /^(localhost|[a-z0-9-]+\.localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i;
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Throws `bad_host`. */
export function checkHost(request: IncomingMessage, rules: OriginRules): void {
  const host = request.headers.host ?? '';
  if (LOOPBACK.test(host)) return;
  if (rules.publicUrl !== undefined && host === new URL(rules.publicUrl).host) return;
  if (rules.anyAddress === true && isIP(host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '')) !== 0) return;
  throw platformErrors.bad_host();
}

/**
 * Throws `cross_origin` when a page of another origin asks. `byCookie`: the credential came by itself, so for a change
 * the browser must say that the page is ours.
 */
export function checkOrigin(request: IncomingMessage, byCookie: boolean, isUpgrade = false): void {
  const { origin, host } = request.headers;
  if (origin !== undefined) {
    if (!sameHost(origin, host)) throw platformErrors.cross_origin();
    return;
  }
  if (!byCookie || (!isUpgrade && SAFE.has(request.method ?? 'GET'))) return;
  if (request.headers['sec-fetch-site'] !== 'same-origin') throw platformErrors.cross_origin();
}

function sameHost(origin: string, host: string | undefined): boolean {
  return URL.canParse(origin) && host !== undefined && new URL(origin).host === withoutDefaultPort(origin, host);
}

function withoutDefaultPort(origin: string, host: string): string {
  return host.replace(origin.startsWith('https:') ? /:443$/ : /:80$/, '');
}

// The health probe of a role: who answers is alive, and says whether it is ready and reaches the database. Loopback only,
// without secrets, so it needs no credential.
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Family } from '../platform/metrics/metrics.ts';
import type { RoleName } from './role-file.ts';

export interface Health {
  readonly role: RoleName;
  readonly pid: number;
  readonly ready: boolean;
  readonly database: 'answers' | 'away';
}

export interface HealthServer {
  readonly port: number;
  close(): void;
}

// No cap on connections: idle ones would fill it, the keeper's probe would be turned away, and the role killed for it.
// Instead whoever says nothing is soon sent off.
const LIMITS = { headersTimeout: 1_000, requestTimeout: 1_000, connectionsCheckingInterval: 500 };

/** Answers `GET /healthz` on a free port, and `GET /metrics.json` with the process's numbers for the api beside it. */
export function serveHealth(state: () => Health, metrics?: () => Promise<Family[]>): Promise<HealthServer> {
  const server = createServer(LIMITS, (request, response) => {
    const answer = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      response.end(`${JSON.stringify(body)}\n`);
    };
    if (request.method === 'GET' && request.url === '/healthz') {
      const health = state();
      answer(health.ready ? 200 : 503, health);
    } else if (request.method === 'GET' && request.url === '/metrics.json' && metrics !== undefined) {
      metrics().then(
        (families) => answer(200, families),
        () => answer(500, []),
      );
    } else response.writeHead(404, { connection: 'close' }).end();
  });
  const close = () => {
    server.close();
    // Nobody looks for silent ones any more, and each would keep the process alive.
    server.closeAllConnections();
  };
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      // The probe alone keeps no process alive.
      server.unref();
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}

/** What the role at this port says; undefined when it does not answer in time. */
export function askHealth(port: number, limitMs: number): Promise<Health | undefined> {
  return ask<Health>('/healthz', port, limitMs);
}

/** The numbers of the role at this port; undefined when it does not answer in time. */
export function askMetrics(port: number, limitMs: number): Promise<Family[] | undefined> {
  return ask<Family[]>('/metrics.json', port, limitMs);
}

function ask<T>(path: string, port: number, limitMs: number): Promise<T | undefined> {
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: limitMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(parse<T>(text)));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

function parse<T>(text: string): T | undefined {
  try {
    return JSON.parse(text) as T;
  } catch {
    return undefined;
  }
}

// The health probe of a role: who answers is alive, and says whether it is ready and reaches the database. Loopback only,
// without secrets, so it needs no credential.
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
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

/** Answers `GET /healthz` on a free port. */
export function serveHealth(state: () => Health): Promise<HealthServer> {
  const server = createServer(LIMITS, (request, response) => {
    if (request.method !== 'GET' || request.url !== '/healthz') {
      response.writeHead(404, { connection: 'close' }).end();
      return;
    }
    const health = state();
    response.writeHead(health.ready ? 200 : 503, { 'content-type': 'application/json', connection: 'close' });
    response.end(`${JSON.stringify(health)}\n`);
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
  return new Promise((resolve) => {
    const request = get({ host: '127.0.0.1', port, path: '/healthz', agent: false, timeout: limitMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(parse(text)));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}

function parse(text: string): Health | undefined {
  try {
    return JSON.parse(text) as Health;
  } catch {
    return undefined;
  }
}

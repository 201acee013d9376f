// An HTTP server that answers what a test tells it, in order, and remembers what it was asked.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** `never`: it takes the request and says nothing. `hang_up`: it closes the connection in the middle. */
export type Answer = 'never' | 'hang_up' | SaidAnswer;

export interface SaidAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text is sent as HTML, unless the headers say otherwise. */
  readonly body: string | object;
  /** The answer does not end. */
  readonly staysOpen?: boolean;
}

export interface ScriptedServer {
  readonly url: string;
  readonly port: number;
  readonly asked: readonly Asked[];
  close(): Promise<void>;
}

/** The last answer is given from then on. */
export async function openScriptedServer(answers: readonly Answer[], port = 0): Promise<ScriptedServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8');
    request.on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      asked.push({ method: request.method!, path: request.url!, headers: request.headers, body });
      give(response, answers[Math.min(asked.length, answers.length) - 1]!);
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${taken}`,
    port: taken,
    asked,
    async close() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function give(response: ServerResponse, answer: Answer): void {
  if (answer === 'never') return;
  if (answer === 'hang_up') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"half":');
    setImmediate(() => response.destroy());
    return;
  }
  const isText = typeof answer.body === 'string';
  response.writeHead(answer.status ?? 200, {
    'content-type': isText ? 'text/html' : 'application/json',
    ...answer.headers,
  });
  response.write(isText ? answer.body : JSON.stringify(answer.body));
  if (answer.staysOpen !== true) response.end();
}

export function problem(status: number, code: string, retryable = false): SaidAnswer {
  return { status, body: { code, detail: `it was ${code}`, hint: 'Do something.', retryable, request_id: 'req_1' } };
}

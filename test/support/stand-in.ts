// A stand-in for the api: answers what a test puts there, and remembers what was asked. For tests of what a client makes
// of answers; those of the api itself speak to the real one.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenerPort } from './listener.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export interface StandIn {
  readonly url: string;
  readonly port: number;
  /** `GET /v1/agents`, with the query. */
  readonly asked: { readonly line: string; readonly authorization: string | undefined; readonly body: string }[];
  /** By path; `*` is every other. */
  on(path: string, answer: Answer): void;
  json(path: string, value: unknown, status?: number): void;
  close(): Promise<void>;
}

export async function openStandIn(): Promise<StandIn> {
  const answers = new Map<string, Answer>();
  const asked: StandIn['asked'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      const { method, url = '/', headers } = request;
      asked.push({ line: `${method} ${url}`, authorization: headers.authorization, body });
      const answer = answers.get(url.split('?')[0]!) ?? answers.get('*');
      if (answer === undefined) response.writeHead(404).end();
      else answer(request, response);
    });
  });
  const port = await listenerPort(server);
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    asked,
    on: (path, answer) => void answers.set(path, answer),
    json(path, value, status = 200) {
      const type = status < 400 ? 'application/json' : 'application/problem+json';
      answers.set(path, (_, response) => {
        response.writeHead(status, { 'content-type': type }).end(JSON.stringify(value));
      });
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

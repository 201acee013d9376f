// Requests byte by byte, for what no HTTP client would send, and what the server said to them.
import { connect } from 'node:net';

export interface RequestParts {
  readonly method: string;
  readonly path: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Headers as they stand on the wire, for those that may not come twice. */
  readonly lines?: readonly string[];
  readonly body?: string | Buffer | undefined;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

const LIMIT_MS = 10_000;

export function requestBytes({ method, path, token, headers = {}, lines = [], body }: RequestParts): Buffer {
  const all: Record<string, string> = {
    host: '127.0.0.1',
    connection: 'close',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined
      ? {}
      : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
    ...headers,
  };
  const head = [
    `${method} ${path} HTTP/1.1`,
    ...Object.entries(all)
      .filter(([, value]) => value !== '')
      .map(([name, value]) => `${name}: ${value}`),
    ...lines,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body ?? '')]);
}

/** Sends and reads until the server closes; an empty header value leaves the header out. */
export function send(port: number, parts: RequestParts): Promise<RawAnswer> {
  return exchange(port, requestBytes(parts));
}

/** The first answer to these bytes. Rejects when none comes within ten seconds. */
export function exchange(port: number, bytes: Buffer): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, '127.0.0.1');
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`no end of the answer; so far: ${Buffer.concat(chunks).toString().slice(0, 300)}`));
    }, LIMIT_MS);
    // A server that refuses early resets a connection on which more is still coming; what it said first counts.
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.on('close', () => {
      clearTimeout(timer);
      const answer = parseAnswer(Buffer.concat(chunks));
      if (answer === undefined) reject(new Error('the connection ended without an answer'));
      else resolve(answer);
    });
    socket.on('connect', () => socket.write(bytes));
  });
}

function parseAnswer(bytes: Buffer): RawAnswer | undefined {
  const text = bytes.toString('utf8');
  const end = text.indexOf('\r\n\r\n');
  const match = /^HTTP\/1\.1 (\d{3}) /.exec(text);
  if (match === null || end < 0) return undefined;
  const headers = new Map(
    text
      .slice(0, end)
      .split('\r\n')
      .slice(1)
      .map((line): [string, string] => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
      }),
  );
  return { status: Number(match[1]), headers, text: text.slice(end + 4) };
}

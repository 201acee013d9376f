// A collector of traces in this process: takes OTLP over HTTP in JSON, or behaves as badly as a test wants.
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly status: { readonly code?: number; readonly message?: string };
}

export interface Collector {
  readonly endpoint: string;
  readonly spans: CollectedSpan[];
  readonly requests: { readonly url: string; readonly headers: IncomingHttpHeaders }[];
  /** What it does with each request from now on; undefined: it takes the spans. */
  behave: ((response: ServerResponse) => void) | undefined;
  close(): Promise<void>;
}

export async function openCollector(): Promise<Collector> {
  const spans: CollectedSpan[] = [];
  const requests: Collector['requests'] = [];
  const server = createServer((request, response) => {
    requests.push({ url: request.url ?? '', headers: request.headers });
    let text = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
    request.on('end', () => {
      if (collector.behave !== undefined) return collector.behave(response);
      for (const { scopeSpans } of JSON.parse(text).resourceSpans)
        for (const one of scopeSpans) spans.push(...one.spans);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const collector: Collector = {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    behave: undefined,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return collector;
}

export function attributeOf(span: CollectedSpan, key: string): unknown {
  return Object.values(span.attributes.find((one) => one.key === key)?.value ?? {})[0];
}

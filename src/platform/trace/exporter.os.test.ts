import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { attributeOf, type Collector, openCollector } from '../../../test/support/collector.ts';
import { nextAnnouncement } from '../signals.ts';
import { SpanExporter } from './exporter.ts';
import type { Span } from './otlp.ts';
import { newSpanId, newTraceId } from './trace-context.ts';

const LIMIT_MS = 20_000;
let collector: Collector;
let exporter: SpanExporter | undefined;
let told: { dropped: number; why: string }[];
beforeEach(async () => {
  collector = await openCollector();
  told = [];
});
afterEach(async () => {
  await exporter?.stop();
  exporter = undefined;
  await collector.close();
});

function open(endpoint = collector.endpoint): SpanExporter {
  exporter = new SpanExporter({
    endpoint,
    headers: { authorization: 'Bearer of-the-collector' },
    resource: { 'service.name': 'quarterdeck' },
    version: '1',
    failed: (dropped, why) => told.push({ dropped, why }),
    limitMs: 200,
    pauseMs: 10,
  });
  return exporter;
}

function span(name = 'work.job.add'): Span {
  return {
    traceId: newTraceId(),
    spanId: newSpanId(),
    parentSpanId: undefined,
    name,
    kind: 'server',
    startedAt: 1_700_000_000_000.5,
    endedAt: 1_700_000_000_001.25,
    attributes: { text: 'a', whole: 3, part: 0.5, yes: true },
  };
}

async function sent(action: () => void): Promise<void> {
  const done = nextAnnouncement('trace.exported', LIMIT_MS);
  action();
  await done;
}

it('spans arrive as the standard writes them, with the headers of the setting', async () => {
  await sent(() => open().add(span()));
  const [first] = collector.spans;
  expect(first).toMatchObject({
    name: 'work.job.add',
    kind: 2,
    startTimeUnixNano: '1700000000000500000',
    endTimeUnixNano: '1700000000001250000',
    status: {},
  });
  expect(['text', 'whole', 'part', 'yes'].map((key) => attributeOf(first!, key))).toEqual(['a', '3', 0.5, true]);
  expect(collector.requests[0]).toMatchObject({
    url: '/v1/traces',
    headers: { authorization: 'Bearer of-the-collector', 'content-type': 'application/json' },
  });
});

it('many spans go in few requests, and none is lost', async () => {
  open();
  const names = Array.from({ length: 3_000 }, (_, i) => `span ${i}`);
  for (const name of names) exporter!.add(span(name));
  while (exporter!.counts.exported < names.length) await nextAnnouncement('trace.exported', LIMIT_MS);
  // On a busy machine a request may be given up and sent again: then the collector has its spans twice, and drops them by id.
  expect([...new Set(collector.spans.map(({ name }) => name))].sort()).toEqual([...names].sort());
  expect(collector.requests.length).toBeLessThan(names.length / 50);
});

it('a collector that is busy for a moment gets the same spans again', async () => {
  let answers = 0;
  collector.behave = (response) => {
    answers++;
    if (answers === 2) collector.behave = undefined;
    response.writeHead(answers === 1 ? 503 : 429).end();
  };
  await sent(() => open().add(span()));
  expect(collector.spans).toHaveLength(1);
  expect(exporter!.counts).toEqual({ exported: 1, dropped: 0 });
});

it.each<[string, NonNullable<Collector['behave']>]>([
  ['never answers', () => undefined],
  ['says no', (response) => response.writeHead(400).end('what is this?')],
  ['sends elsewhere', (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()],
  ['breaks off', (response) => response.socket?.destroy()],
  ['talks no HTTP', (response) => response.socket?.end('\u0000\u0001 what?\r\n\r\n')],
  ['begins and never ends', (response) => response.writeHead(503).write('x')],
])(
  'of a collector that %s the spans are dropped and counted, and later ones arrive when it is well',
  async (_, behave) => {
    collector.behave = behave;
    const dropped = nextAnnouncement('trace.dropped', LIMIT_MS);
    open().add(span('lost'));
    await dropped;
    expect(exporter!.counts).toEqual({ exported: 0, dropped: 1 });
    expect(told).toHaveLength(1);
    collector.behave = undefined;
    await sent(() => exporter!.add(span('found')));
    expect(collector.spans.map(({ name }) => name)).toEqual(['found']);
  },
);

it('what an endless answer says after «taken» is not waited for', async () => {
  collector.behave = (response) => response.writeHead(200).write('{');
  await sent(() => open().add(span()));
  expect(exporter!.counts.exported).toBe(1);
});

it('the queue is bounded: what does not fit is dropped and told once', () => {
  collector.behave = () => undefined;
  open();
  for (let number = 0; number < 20_000; number++) exporter!.add(span());
  const { dropped } = exporter!.counts;
  expect(dropped).toBeGreaterThan(10_000);
  expect(told).toHaveLength(1);
});

it('the end does not wait for a collector that hangs, and what hung there is sent once more', async () => {
  collector.behave = () => {
    // From the second request on it is well.
    collector.behave = undefined;
  };
  exporter = new SpanExporter({
    endpoint: collector.endpoint,
    headers: {},
    resource: {},
    version: '1',
    failed: () => undefined,
    limitMs: 600_000,
  });
  for (let number = 0; number < 512; number++) exporter.add(span());
  await vi.waitFor(() => expect(collector.requests).toHaveLength(1), LIMIT_MS);
  await exporter.stop();
  expect(exporter.counts).toEqual({ exported: 512, dropped: 0 });
  expect(collector.spans).toHaveLength(512);
});

it('at the end what is left is sent, and an absent collector holds nobody up', async () => {
  open().add(span('last'));
  await exporter!.stop();
  expect(collector.spans.map(({ name }) => name)).toEqual(['last']);
  exporter!.add(span('too late'));
  expect(exporter!.counts).toEqual({ exported: 1, dropped: 1 });

  const away = open('http://127.0.0.1:1');
  away.add(span());
  await away.stop();
  expect(away.counts).toEqual({ exported: 0, dropped: 1 });
});

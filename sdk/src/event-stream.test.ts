import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type StreamMessage, streamMessages } from './event-stream.ts';

async function read(text: string, cuts: readonly number[]): Promise<StreamMessage[]> {
  const bytes = new TextEncoder().encode(text);
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const [i, place] of places.slice(1).entries()) {
        if (place > places[i]!) controller.enqueue(bytes.slice(places[i], place));
      }
      controller.close();
    },
  });
  const messages: StreamMessage[] = [];
  for await (const message of streamMessages(body, () => undefined)) messages.push(message);
  return messages;
}

describe('an event stream', () => {
  it('is the same however it is cut into pieces', async () => {
    const stream =
      'retry: 2000\n\n: 2026-01-01T00:00:00Z\n\nid: e-1\nevent: event\ndata: {"a":"ä😀"}\n\nid: e-2\ndata: {}\n\nid: e-3\nevent: event\ndata: {"cut":';
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(200), { maxLength: 12 }), async (cuts) => {
        expect(await read(stream, cuts)).toEqual([
          { id: 'e-1', event: 'event', data: '{"a":"ä😀"}' },
          { id: 'e-2', event: 'message', data: '{}' },
        ]);
      }),
    );
  });
});

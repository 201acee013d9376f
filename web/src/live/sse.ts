// The second choice, where a proxy passes no upgrades: server-sent events, read by fetch.
import type { EventItem } from '../api/routes.ts';
import { sseParser } from './sse-parser.ts';
import { type Continuity, everything, guarded, type Transport, type TransportEvents } from './transport.ts';

export const sseTransport: Transport = {
  name: 'sse',
  open(after, outside) {
    const { on, silence } = guarded(outside);
    const stop = new AbortController();
    void follow(after, on, stop.signal);
    return () => {
      silence();
      stop.abort();
    };
  },
};

async function follow(after: string | undefined, on: TransportEvents, signal: AbortSignal): Promise<void> {
  try {
    const query = new URLSearchParams({ topics: everything, ...(after === undefined ? {} : { after }) });
    const response = await fetch(`/v1/live?${query}`, {
      headers: { accept: 'text/event-stream' },
      credentials: 'same-origin',
      cache: 'no-store',
      signal,
    });
    if (response.status === 401) return on.end('signed_out');
    if (!response.ok || response.body === null) return on.end('failed');
    if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return on.end('failed');
    const parser = sseParser();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return on.end('away');
      const { messages, comment } = parser.push(value);
      if (comment) on.alive();
      for (const message of messages) deliver(message.event, message.data, on);
    }
  } catch {
    // Abort, a broken connection and a line that is no JSON all end this try; the ladder decides what is next.
    on.end('failed');
  }
}

function deliver(event: string, data: string, on: TransportEvents): void {
  if (event === 'event') on.event(JSON.parse(data) as EventItem);
  else if (event === 'state') {
    const state = JSON.parse(data) as { state: Continuity; cursor: string };
    on.ready(state.state, state.cursor);
  } else on.alive();
}

// The first choice: one WebSocket on the page's own origin, with one subscription.
import type { EventItem } from '../api/routes.ts';
import {
  type Continuity,
  type EndReason,
  everything,
  guarded,
  type Transport,
  type TransportEvents,
} from './transport.ts';

const SUBSCRIPTION = 'page';
const PING_MS = 20_000;

type ServerMessage =
  | { type: 'subscribed'; id: string; state: Continuity; cursor: string }
  | { type: 'event'; ids: string[]; cursor: string; event: EventItem }
  | { type: 'heartbeat'; cursor: string | null; time: string }
  | { type: 'error'; code: string; detail: string };

export const webSocketTransport: Transport = {
  name: 'ws',
  open(after, outside) {
    const { on, silence } = guarded(outside);
    const socket = new WebSocket(liveAddress(location));
    const ping = setInterval(() => {
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"ping"}');
    }, PING_MS);
    socket.onopen = () => {
      const resume = after === undefined ? {} : { after };
      socket.send(JSON.stringify({ type: 'subscribe', id: SUBSCRIPTION, topics: [everything], ...resume }));
    };
    socket.onmessage = (message) => receive(String(message.data), on, () => socket.close());
    socket.onclose = (close) => {
      clearInterval(ping);
      on.end(reasonOf(close.code));
    };
    return () => {
      silence();
      clearInterval(ping);
      socket.close(1000);
    };
  },
};

export function liveAddress(page: { readonly protocol: string; readonly host: string }): string {
  return `${page.protocol === 'https:' ? 'wss:' : 'ws:'}//${page.host}/v1/live`;
}

function receive(text: string, on: TransportEvents, close: () => void): void {
  const message = JSON.parse(text) as ServerMessage;
  switch (message.type) {
    case 'subscribed':
      on.ready(message.state, message.cursor);
      break;
    case 'event':
      on.event(message.event);
      break;
    case 'heartbeat':
      on.alive(message.time);
      break;
    case 'error':
      close();
      break;
    default:
      // A newer server may say more than this page knows.
      on.alive();
      break;
  }
}

function reasonOf(code: number): EndReason {
  if (code === 4401) return 'signed_out';
  if (code === 4008) return 'slow';
  return code === 1001 ? 'away' : 'failed';
}

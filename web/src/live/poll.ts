// The last choice, which works wherever a request works: long polls, each from the position of the one before.
import { call } from '../api/client.ts';
import { isSignedOut } from '../api/problem.ts';
import { type LivePage, routes } from '../api/routes.ts';
import { everything, guarded, type Transport, type TransportEvents } from './transport.ts';

const WAIT_SECONDS = 20;

export const pollTransport: Transport = {
  name: 'poll',
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

async function follow(start: string | undefined, on: TransportEvents, signal: AbortSignal): Promise<void> {
  let after = start;
  // The first answer comes at once, so that the page knows early that this way works.
  let wait = 0;
  let ready = false;
  try {
    for (;;) {
      const page = await ask(after, wait, signal);
      if (!ready || page.state === 'reset') on.ready(page.state, page.next_cursor);
      ready = true;
      for (const event of page.items) on.event(event);
      on.alive();
      after = page.next_cursor;
      wait = WAIT_SECONDS;
    }
  } catch (error) {
    on.end(isSignedOut(error) ? 'signed_out' : 'failed');
  }
}

function ask(after: string | undefined, wait: number, signal: AbortSignal): Promise<LivePage> {
  const place = after === undefined ? {} : { after };
  return call(routes.live, { topics: everything, wait, limit: 500, ...place }, signal);
}

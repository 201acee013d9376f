// What a way of following the log looks like to the ladder that chooses between the three.
import type { EventItem } from '../api/routes.ts';

export type TransportName = 'ws' | 'sse' | 'poll';
export type Continuity = 'resumed' | 'resumed_from_db' | 'reset';
/** `signed_out`: the credential ended. `slow`: we were too slow and resume at once. `away`: the server says goodbye. */
export type EndReason = 'failed' | 'slow' | 'away' | 'signed_out';

export interface TransportEvents {
  ready(state: Continuity, cursor: string): void;
  event(event: EventItem): void;
  /** The server is there. */
  alive(time?: string): void;
  /** At most once, and never after the transport was closed by us. */
  end(reason: EndReason): void;
}

export interface Transport {
  readonly name: TransportName;
  /** Opens behind `after`, or from now on without it. The result closes it. */
  open(after: string | undefined, on: TransportEvents): () => void;
}

export const everything = 'everything';

/** Makes `end` single and silences a transport that was closed. */
export function guarded(on: TransportEvents): { on: TransportEvents; silence: () => void } {
  let open = true;
  return {
    silence: () => {
      open = false;
    },
    on: {
      ready: (state, cursor) => open && on.ready(state, cursor),
      event: (event) => open && on.event(event),
      alive: (time) => open && on.alive(time),
      end: (reason) => {
        if (!open) return;
        open = false;
        on.end(reason);
      },
    },
  };
}

// The bytes of an event's WebSocket message, made once however many readers get it: a hundred readers of one event
// share its JSON and, where their subscription has the same name (a page names it the same everywhere), the whole text.
import type { FeedItem } from '../../domains/log/index.ts';

const MOST_NAMES = 16;

class Frames {
  readonly #byEvent = new WeakMap<FeedItem, Map<string, Buffer>>();

  /** `idJson`: the subscription's id as JSON. */
  of(event: FeedItem, idJson: string): Buffer {
    let byName = this.#byEvent.get(event);
    if (byName === undefined) {
      byName = new Map();
      this.#byEvent.set(event, byName);
    }
    let frame = byName.get(idJson);
    if (frame === undefined) {
      frame = Buffer.from(`{"type":"event","ids":[${idJson}],"cursor":"${event.cursor}","event":${event.json}}`);
      if (byName.size < MOST_NAMES) byName.set(idJson, frame);
    }
    return frame;
  }
}

export const frames = new Frames();

// Reads the text of an event stream (WHATWG HTML §9.2.6) piece by piece. Not EventSource, because that hides the
// status of a refusal and the comments that prove the connection is alive.

export interface SseMessage {
  readonly event: string;
  readonly data: string;
  readonly id: string | undefined;
}

export interface SseParser {
  /** Gives the messages that `piece` completes; a comment counts as a sign of life. */
  push(piece: string): { messages: SseMessage[]; comment: boolean };
}

export function sseParser(): SseParser {
  let rest = '';
  let event = '';
  let data: string[] = [];
  let id: string | undefined;
  return {
    push(piece) {
      const messages: SseMessage[] = [];
      let comment = false;
      const lines = (rest + piece).split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') {
          if (data.length > 0) messages.push({ event: event === '' ? 'message' : event, data: data.join('\n'), id });
          event = '';
          data = [];
          continue;
        }
        if (line.startsWith(':')) {
          comment = true;
          continue;
        }
        const colon = line.indexOf(':');
        const field = colon < 0 ? line : line.slice(0, colon);
        const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
        if (field === 'event') event = value;
        else if (field === 'data') data.push(value);
        else if (field === 'id') id = value;
      }
      return { messages, comment };
    },
  };
}

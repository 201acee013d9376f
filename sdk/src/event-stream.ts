// Server-sent events out of a body (WHATWG HTML §9.2.6), as far as this server uses them.

export interface StreamMessage {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: string;
}

/** Messages as they come; `heard` is called for every chunk, so that silence can be told from quiet. */
export async function* streamMessages(
  body: ReadableStream<Uint8Array>,
  heard: () => void,
): AsyncGenerator<StreamMessage> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      heard();
      rest += decoder.decode(value, { stream: true });
      const blocks = rest.split('\n\n');
      // What stands behind the last empty line is not complete, and never becomes a message if the stream ends here.
      rest = blocks.pop() ?? '';
      for (const block of blocks) {
        const message = readBlock(block);
        if (message !== undefined) yield message;
      }
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function readBlock(block: string): StreamMessage | undefined {
  const fields: Record<string, string> = {};
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 1).replace(/^ /, '');
  }
  const { id, event = 'message', data } = fields;
  return data === undefined ? undefined : { id, event, data };
}

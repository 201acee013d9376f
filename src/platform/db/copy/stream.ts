// Streams one table from a connection into another: COPY … TO STDOUT on one side, COPY … FROM STDIN on the other, as text,
// which every major version reads alike. What is in memory at once is one chunk, whatever the size of the table.
import type pg from 'pg';

/** What the driver hands to whoever runs a COPY on it. */
interface CopyConnection {
  readonly stream: NodeJS.ReadWriteStream & { readonly writableNeedDrain: boolean };
  query(text: string): void;
  sendCopyFromChunk(chunk: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

export interface TableStream {
  readonly source: pg.ClientBase;
  /** `COPY … TO STDOUT` */
  readonly out: string;
  readonly target: pg.ClientBase;
  /** `COPY … FROM STDIN` */
  readonly in: string;
  /** Called with the bytes that went over so far, once a chunk. */
  readonly onBytes?: (bytes: number) => void;
  readonly signal?: AbortSignal | undefined;
}

const CHUNK_BYTES = 64 * 1024;

/**
 * Resolves when the target has taken every row. When it rejects, at least one of the connections is in the middle of
 * something: end both. Neither may be in pipeline mode.
 */
export function streamTable(plan: TableStream): Promise<void> {
  const { source, target, signal } = plan;
  return new Promise<void>((resolve, reject) => {
    let from: CopyConnection | undefined;
    let pieces: Buffer[] = [];
    let waiting = 0;
    let bytes = 0;
    let failed = false;
    const onAbort = () => reject(signal?.reason);
    const onDrain = () => from?.stream.resume();
    if (signal?.aborted) return onAbort();
    signal?.addEventListener('abort', onAbort, { once: true });

    const send = (into: CopyConnection) => {
      if (waiting === 0) return;
      into.sendCopyFromChunk(Buffer.concat(pieces, waiting));
      bytes += waiting;
      pieces = [];
      waiting = 0;
      plan.onBytes?.(bytes);
      if (into.stream.writableNeedDrain) from?.stream.pause();
    };
    const end = (finish: () => void, into?: CopyConnection) => {
      signal?.removeEventListener('abort', onAbort);
      into?.stream.removeListener('drain', onDrain);
      finish();
    };
    const readFrom = (into: CopyConnection) =>
      run(source, {
        submit(connection) {
          from = connection;
          connection.query(plan.out);
        },
        handleCopyData({ chunk }) {
          // A view of the parser's own buffer, which it fills anew.
          pieces.push(Buffer.from(chunk));
          waiting += chunk.length;
          if (waiting >= CHUNK_BYTES) send(into);
        },
        handleError(error) {
          failed = true;
          into.sendCopyFail('the source failed');
          end(() => reject(error), into);
        },
        handleReadyForQuery() {
          if (failed) return;
          send(into);
          into.endCopyFrom();
        },
      });
    let sink: CopyConnection | undefined;
    run(target, {
      submit: (connection) => connection.query(plan.in),
      handleCopyInResponse(connection) {
        sink = connection;
        connection.stream.on('drain', onDrain);
        readFrom(connection);
      },
      handleError: (error) => end(() => reject(error), sink),
      handleReadyForQuery: () => end(resolve, sink),
    });
  });
}

interface CopyQuery {
  submit(connection: CopyConnection): void;
  handleCopyInResponse?(connection: CopyConnection): void;
  handleCopyData?(message: { readonly chunk: Buffer }): void;
  handleError(error: Error): void;
  handleReadyForQuery(): void;
}

function run(client: pg.ClientBase, query: CopyQuery): void {
  // After an error, too, the server says that it is ready: a promise takes the first word only.
  client.query({ handleCommandComplete: () => undefined, ...query } as unknown as pg.Submittable);
}

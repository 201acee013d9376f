// The cursor: epoch and seq in one opaque word. It names a committed row (or 0, the beginning), never a bare horizon:
// after a crash the server may draw an uncommitted number again.
import { logErrors } from './errors.ts';

export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

const FORM = /^([0-9a-f]{8})-(0|[1-9][0-9]{0,15})$/;

export function formatCursor(position: Position): string {
  return `${position.epoch}-${position.seq}`;
}

/** Throws `log.bad_cursor`. */
export function parseCursor(cursor: string): Position {
  const match = FORM.exec(cursor);
  const seq = Number(match?.[2]);
  if (match === null || !Number.isSafeInteger(seq)) throw logErrors.bad_cursor({ cursor });
  return { epoch: match[1]!, seq };
}

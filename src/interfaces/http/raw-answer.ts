// Refusals written straight to a socket: for upgrades and for what Node cannot read as a request at all.
import type { Duplex } from 'node:stream';
import type { AppError } from '../../platform/errors.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { problem } from './problem.ts';

/** Answers with problem+json and ends the connection. */
export function refuseSocket(socket: Duplex, error: AppError, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(problem(error, requestId));
  socket.end(
    `HTTP/1.1 ${error.status} Refused\r\ncontent-type: application/problem+json\r\nx-content-type-options: nosniff\r\n` +
      `cache-control: no-store\r\nconnection: close\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** What Node's parser refused, in our words. */
export function parserRefusal(error: { readonly code?: string }): AppError {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return platformErrors.headers_too_large();
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return platformErrors.request_timeout();
    default:
      return platformErrors.bad_request({ problem: 'it is not HTTP' });
  }
}

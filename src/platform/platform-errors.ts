// Errors that any operation may answer with: they belong to the platform, so their codes carry no domain.
import { errorTable } from './errors.ts';

export const platformErrors = errorTable('', {
  bad_json: { status: 400, message: 'The body is not valid JSON: {problem}', hint: 'Send one JSON document in UTF-8.' },
  bad_request: { status: 400, message: 'The request is malformed: {problem}', hint: 'Check the address and headers.' },
  unauthenticated: {
    status: 401,
    message: 'This request needs a credential',
    hint: 'Send `Authorization: Bearer <token>` or sign in.',
  },
  token_expired: { status: 401, message: 'The token has expired', hint: 'Ask the operator for a new one.' },
  denied: {
    status: 403,
    message: 'This credential lacks the ability {ability}',
    hint: 'Use a token with that ability; an operator can create one.',
  },
  cross_origin: {
    status: 403,
    message: 'Requests from another origin are refused',
    hint: 'Open the control center under the address that the server printed.',
  },
  not_found: {
    status: 404,
    message: 'There is nothing at this address',
    hint: 'See /v1/openapi.json for what exists.',
  },
  method_not_allowed: {
    status: 405,
    message: '{method} is not supported here',
    hint: 'See /v1/openapi.json for what exists.',
  },
  request_timeout: {
    status: 408,
    message: 'The request did not arrive completely in time',
    hint: 'Send it again.',
    retryable: true,
  },
  conflict: { status: 409, message: 'The state changed meanwhile', hint: 'Read it again and repeat.', retryable: true },
  idempotency_key_reused: {
    status: 409,
    message: 'This Idempotency-Key was used for another request',
    hint: 'Use a new key for a new request.',
  },
  idempotent_secret_not_kept: {
    status: 409,
    message: 'This request was carried out before; its answer held a secret, of which no copy is kept',
    hint: 'Make a new one with a new Idempotency-Key and revoke the one that was lost.',
  },
  payload_too_large: {
    status: 413,
    message: 'The body is larger than {limit} bytes',
    hint: 'Send less at once, in several requests.',
  },
  uri_too_long: { status: 414, message: 'The address is longer than {limit} bytes', hint: 'Shorten the filters.' },
  unsupported_media_type: {
    status: 415,
    message: 'The content type {content_type} is not accepted here',
    hint: 'Send `Content-Type: application/json` in UTF-8.',
  },
  bad_host: {
    status: 421,
    message: 'This server does not answer for that host name',
    hint: 'Use the address that the server printed, or add the name to `public_url`.',
  },
  invalid_input: {
    status: 422,
    message: 'The input is not valid: {problem}',
    hint: 'Correct the fields named in `errors`.',
  },
  too_deep: {
    status: 422,
    message: 'The JSON is nested deeper than {limit} levels',
    hint: 'Flatten the document.',
  },
  invalid_text: {
    status: 422,
    message: 'The text holds a character that cannot be stored: {problem}',
    hint: 'Remove NUL characters and lone surrogates.',
  },
  rate_limited: {
    status: 429,
    message: 'Too many requests',
    hint: 'Wait as long as Retry-After says.',
    retryable: true,
  },
  headers_too_large: {
    status: 431,
    message: 'The request headers are too large',
    hint: 'Send fewer or shorter headers.',
  },
  internal: {
    status: 500,
    message: 'Something unexpected happened',
    hint: 'Look for this request id in the logs of the api.',
  },
  unavailable: {
    status: 503,
    message: 'The database cannot be reached right now',
    hint: 'Nothing was changed. Try again after Retry-After.',
    retryable: true,
  },
  outcome_unknown: {
    status: 503,
    message: 'The connection to the database ended before it answered: the change may or may not have been made',
    hint: 'Send the same request again with the same id or Idempotency-Key.',
    retryable: true,
  },
  closing: {
    status: 503,
    message: 'The server is about to end or to start again',
    hint: 'Nothing was changed. Try again after Retry-After.',
    retryable: true,
  },
  overloaded: {
    status: 503,
    message: 'The server has too much to do right now',
    hint: 'Try again after Retry-After.',
    retryable: true,
  },
  disk_full: {
    status: 507,
    message: 'The disk of the database is full',
    hint: 'Free some space; the server recovers by itself.',
    retryable: true,
  },
});

// Errors as they leave the server: problem+json (RFC 9457) with a stable code; never a stack, a path or driver text.
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { ZodError } from 'zod';
import { type AppError, isAppError } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { platformErrors } from '../../platform/platform-errors.ts';

const RETRY_AFTER_SECONDS: Readonly<Record<number, number>> = { 429: 5, 503: 1, 507: 30 };

export interface FieldProblem {
  readonly field: string;
  readonly message: string;
}

/** Any failure as an expected error; what is not one becomes `internal` and is logged. */
export function toAppError(error: unknown, logger: Logger, requestId: string): AppError {
  if (isAppError(error)) return error;
  const known = fromFastify(error as FastifyError);
  if (known !== undefined) return known;
  logger.error({ err: error, request_id: requestId }, 'a request failed unexpectedly');
  return platformErrors.internal({}, error);
}

export function sendProblem(reply: FastifyReply, error: AppError, requestId: string): FastifyReply {
  const wait = retryAfter(error);
  if (wait !== undefined) reply.header('retry-after', String(wait));
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.status(error.status).type('application/problem+json').send(problem(error, requestId));
}

/** Seconds after which a repeat makes sense. */
export function retryAfter(error: AppError): number | undefined {
  const told = error.details['retry_after'];
  return typeof told === 'number' ? told : RETRY_AFTER_SECONDS[error.status];
}

export function problem(error: AppError, requestId: string): Record<string, unknown> {
  const { errors } = error.details;
  return {
    type: `urn:quarterdeck:error:${error.code}`,
    title: error.code,
    status: error.status,
    code: error.code,
    detail: error.message,
    hint: error.hint,
    retryable: error.retryable,
    request_id: requestId,
    ...(Array.isArray(errors) ? { errors } : {}),
  };
}

/** A failed schema as `invalid_input`, naming each field. */
export function invalidInput(error: ZodError): AppError {
  const errors = error.issues.slice(0, 20).flatMap((issue): FieldProblem[] => {
    const field = issue.path.join('.');
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ field: field === '' ? key : `${field}.${key}`, message: 'unknown field' }));
    }
    return [{ field, message: issue.message }];
  });
  const first = errors[0];
  return platformErrors.invalid_input({
    problem: first === undefined ? '' : `${first.field}: ${first.message}`,
    errors,
  });
}

export function requestIdOf(request: FastifyRequest): string {
  return request.id;
}

// What Fastify and Node refuse before a route is reached.
function fromFastify(error: FastifyError): AppError | undefined {
  switch (error.code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return platformErrors.payload_too_large({ limit: 'the allowed number of' });
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return platformErrors.unsupported_media_type({ content_type: 'of the body' });
    case 'FST_ERR_CTP_EMPTY_JSON_BODY':
      return platformErrors.bad_json({ problem: 'it is empty' });
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_ASYNC_CONSTRAINT':
      return platformErrors.bad_request({ problem: 'the address or the length of the body' });
    case 'FST_ERR_MAX_LIMIT_EXCEEDED':
      return platformErrors.uri_too_long({ limit: 8192 });
    default:
      if (error instanceof ZodError) return undefined;
      return typeof error.statusCode === 'number' && error.statusCode >= 400 && error.statusCode < 500
        ? platformErrors.bad_request({ problem: 'the server could not read it' }, error)
        : undefined;
  }
}

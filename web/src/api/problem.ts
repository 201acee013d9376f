// What the page knows of a refused or failed request: the server's problem+json, or that it could not be reached.

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly requestId: string | undefined;
  readonly fields: readonly FieldError[];

  constructor(status: number, code: string, detail: string, more: Partial<ProblemFields> = {}) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.code = code;
    this.hint = more.hint;
    this.retryable = more.retryable ?? status >= 500;
    this.requestId = more.requestId;
    this.fields = more.fields ?? [];
  }
}

interface ProblemFields {
  readonly hint: string | undefined;
  readonly retryable: boolean;
  readonly requestId: string | undefined;
  readonly fields: readonly FieldError[];
}

/** Reads a response that is not a success. A proxy may answer with a page of its own; then the status speaks. */
export async function problemOf(response: Response): Promise<Problem> {
  const body = await readObject(response);
  const text = (key: string): string | undefined => (typeof body[key] === 'string' ? body[key] : undefined);
  return new Problem(
    response.status,
    text('code') ?? `http_${response.status}`,
    text('detail') ?? text('title') ?? `The server answered ${response.status}`,
    {
      hint: text('hint'),
      retryable: body['retryable'] === true || response.status === 503 || response.status === 429,
      requestId: text('request_id') ?? response.headers.get('x-request-id') ?? undefined,
      fields: Array.isArray(body['errors']) ? body['errors'].filter(isFieldError) : [],
    },
  );
}

export function unreachable(): Problem {
  return new Problem(0, 'unreachable', 'The server cannot be reached', {
    hint: 'Check that it runs: quarterdeck status',
    retryable: true,
  });
}

export function isSignedOut(error: unknown): boolean {
  return error instanceof Problem && error.status === 401;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof Problem && error.status === 404;
}

async function readObject(response: Response): Promise<Record<string, unknown>> {
  try {
    const body: unknown = await response.json();
    return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

function isFieldError(value: unknown): value is FieldError {
  return typeof value === 'object' && value !== null && 'field' in value && 'message' in value;
}

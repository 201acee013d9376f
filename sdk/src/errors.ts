// What a call can fail with: one class, whose `code` says what happened. Codes that begin with `sdk.` are the client's own.

export interface Problem {
  readonly code: string;
  /** HTTP status; 0 when no answer came. */
  readonly status: number;
  readonly detail: string;
  /** What to do next. */
  readonly hint?: string | undefined;
  /** Names the request in the server's logs. */
  readonly requestId?: string | undefined;
  /** Whether the same call may succeed later unchanged. */
  readonly retryable: boolean;
}

export class QuarterdeckError extends Error implements Problem {
  override readonly name = 'QuarterdeckError';
  readonly code: string;
  readonly status: number;
  readonly detail: string;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;
  readonly retryable: boolean;

  constructor(problem: Problem, cause?: unknown) {
    super(`${problem.code}: ${problem.detail}`, cause === undefined ? undefined : { cause });
    this.code = problem.code;
    this.status = problem.status;
    this.detail = problem.detail;
    this.hint = problem.hint;
    this.requestId = problem.requestId;
    this.retryable = problem.retryable;
  }
}

/** No answer came, or none that is the server's; what was asked may have been done. */
export function unreachable(url: string, cause: unknown): QuarterdeckError {
  const detail = `no server answers at ${url}`;
  const hint = 'Is Quarterdeck running there? Check QUARTERDECK_URL.';
  return new QuarterdeckError({ code: 'sdk.unreachable', status: 0, detail, hint, retryable: true }, cause);
}

export function timedOut(ms: number): QuarterdeckError {
  const detail = `no answer within ${ms} ms`;
  return new QuarterdeckError({ code: 'sdk.timed_out', status: 0, detail, retryable: true });
}

/** Statuses by which a proxy or the server says "later". */
const LATER: ReadonlySet<number> = new Set([408, 429, 502, 503, 504, 507]);

/** The error that an answer stands for, whoever wrote it: the server, or something between. */
export function errorOf(status: number, text: string): QuarterdeckError {
  const body = objectOf(text);
  if (status < 400 || typeof body?.['code'] !== 'string') {
    return new QuarterdeckError({
      code: 'sdk.bad_answer',
      status,
      detail: `something answered that is not Quarterdeck (status ${status})`,
      hint: 'Check QUARTERDECK_URL, and what stands between here and the server.',
      retryable: LATER.has(status),
    });
  }
  return new QuarterdeckError({
    code: body['code'],
    status,
    detail: textOf(body['detail']) ?? '',
    hint: textOf(body['hint']),
    requestId: textOf(body['request_id']),
    retryable: body['retryable'] === true || LATER.has(status),
  });
}

/** The JSON object that a text is; undefined when it is none. */
export function objectOf(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

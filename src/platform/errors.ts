// The only expected error of the system, and the tables in which each domain declares its own. Anything that is thrown
// and is not an AppError is a bug and leaves the process as `internal`.

export interface ErrorSpec {
  /** HTTP status; the CLI derives its exit code from it. */
  readonly status: number;
  /** One sentence; `{name}` is replaced by the detail of that name. */
  readonly message: string;
  /** What the reader does next. */
  readonly hint: string;
  /** True when the same request may succeed later unchanged. */
  readonly retryable?: boolean;
}

export type ErrorDetails = Readonly<Record<string, unknown>>;

export class AppError extends Error {
  readonly code: string;
  readonly status: number;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: ErrorDetails;

  constructor(code: string, spec: ErrorSpec, details: ErrorDetails = {}, cause?: unknown) {
    super(fill(spec.message, details), cause === undefined ? undefined : { cause });
    this.name = 'AppError';
    this.code = code;
    this.status = spec.status;
    this.hint = fill(spec.hint, details);
    this.retryable = spec.retryable ?? false;
    this.details = details;
  }
}

export type ErrorTable<K extends string> = Readonly<
  Record<K, (details?: ErrorDetails, cause?: unknown) => AppError>
> & { readonly specs: Readonly<Record<string, ErrorSpec>> };

/** Declares the errors of a domain: `errorTable('work', { job_not_found })` has codes `work.job_not_found`. */
export function errorTable<const T extends Record<string, ErrorSpec>>(
  domain: string,
  specs: T,
): ErrorTable<keyof T & string> {
  const table: Record<string, unknown> = {};
  const byCode: Record<string, ErrorSpec> = {};
  for (const [key, spec] of Object.entries(specs)) {
    const code = domain === '' ? key : `${domain}.${key}`;
    byCode[code] = spec;
    table[key] = (details?: ErrorDetails, cause?: unknown) => new AppError(code, spec, details, cause);
  }
  table['specs'] = byCode;
  return table as ErrorTable<keyof T & string>;
}

export function isAppError(error: unknown): error is AppError {
  return error instanceof AppError;
}

function fill(template: string, details: ErrorDetails): string {
  return template.replace(/\{(\w+)\}/g, (_, key: string) => show(details[key]));
}

// Values from outside are shown short and without control characters, so a message can neither flood nor forge a log.
function show(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is being removed
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2066-\u2069]/g, '�');
  return clean.length > 120 ? `${clean.slice(0, 117)}...` : clean;
}

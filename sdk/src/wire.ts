// What an operation is on the wire, and the request that a call of it becomes.

export interface Wire {
  /** `work.job.add` */
  readonly name: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its parameters in braces. */
  readonly path: string;
  /** Whether the server recognises a repeat by its Idempotency-Key. */
  readonly keyed: boolean;
}

export interface CallOptions {
  /** Ends the call, also between tries. */
  readonly signal?: AbortSignal | undefined;
  /** Longest wait for one answer, beyond the `wait` of the input; default 30 s. */
  readonly timeoutMs?: number | undefined;
  /** How long a call goes on trying while the server is away or busy; default 60 s, 0 tries once. */
  readonly retryForMs?: number | undefined;
  /** By it the server knows a repeat; default: a new one for each call, kept over its tries. */
  readonly idempotencyKey?: string | undefined;
}

/** Carries one call out; what the generated methods are given. */
export type Send = <T>(wire: Wire, input: object, options?: CallOptions) => Promise<T>;

export interface Page<T> {
  readonly items: readonly T[];
  /** Give it as `after` to go on; null at the end. */
  readonly next_cursor: string | null;
  /** Position of the log at which this answer is true. */
  readonly as_of: string;
}

export interface RequestParts {
  readonly path: string;
  readonly body: string | undefined;
}

/** Path parameters go into the address; the rest is the query, or the JSON body of methods that have one. */
export function requestOf(wire: Pick<Wire, 'method' | 'path'>, input: object): RequestParts {
  const rest = new Map<string, unknown>(Object.entries(input).filter(([, value]) => value !== undefined));
  const path = wire.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest.get(name);
    if (typeof value !== 'string' || value === '') throw new TypeError(`"${name}" must be a text that is not empty`);
    rest.delete(name);
    return encodeURIComponent(value);
  });
  if (wire.method !== 'GET' && wire.method !== 'DELETE')
    return { path, body: JSON.stringify(Object.fromEntries(rest)) };
  const query = new URLSearchParams([...rest].map(([name, value]) => [name, String(value)])).toString();
  return { path: query === '' ? path : `${path}?${query}`, body: undefined };
}

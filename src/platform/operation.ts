// The operation: one value that states everything visible about one thing the system can do. HTTP route, OpenAPI entry,
// CLI command and reference page come from it. It knows no domain and no transport.
import type { z } from 'zod';
import type { Call } from './call.ts';

/** `poll` waits up to the `wait` of its input; `stream` and `upload` bring their own transport; `local` is CLI only. */
export type OperationKind = 'unary' | 'poll' | 'stream' | 'upload' | 'local';
export type Listener = 'api' | 'relay' | 'edge' | 'none';
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
/** What calling it does to the world; `destroy` cannot be undone by another operation. */
export type Effect = 'read' | 'write' | 'destroy';

export interface CliWords {
  /** `channel pause` */
  readonly words: string;
  /** Input fields given by position, in order; the rest are options. */
  readonly positional?: readonly string[];
  /** Other names of the whole command. */
  readonly aliases?: readonly string[];
  /** Columns of the table for outputs with `items`; dotted paths are allowed. */
  readonly columns?: readonly string[];
  /** A line that works as it stands, shown first in the help. */
  readonly example: string;
}

export interface Operation<
  I extends z.ZodObject = z.ZodObject,
  O extends z.ZodType = z.ZodType,
  M extends Method = Method,
  P extends string = string,
> {
  /** `work.channel.pause`: domain, noun, verb. */
  readonly name: string;
  readonly summary: string;
  readonly kind: OperationKind;
  readonly listener: Listener;
  /** `public`: nobody needs to be known. `any`: every credential. Else the ability that is demanded. */
  readonly ability: string;
  readonly effect: Effect;
  readonly method: M;
  readonly path: P;
  /** Strict object of path parameters, query and body together; names are unique over the three. */
  readonly input: I;
  readonly output: O;
  /** Codes that this operation answers beyond those any operation may answer. */
  readonly errors: readonly string[];
  /** HTTP status of success. */
  readonly status: number;
  /** Largest body in bytes. */
  readonly bodyLimit: number;
  /** Fields of the output that show a secret this once (`jobs.token` for each of a list): no copy of them is kept. */
  readonly secretOutput: readonly string[];
  /** Most calls from one address in a minute; undefined: no limit of its own. */
  readonly perMinute?: number;
  readonly cli: CliWords | { readonly none: string };
  /** What is usually asked next, and where in input and output the values of its fields stand (`jobs.0.id`). */
  readonly next?: { readonly operation: string; readonly input?: Readonly<Record<string, string>> };
  /** Why it is no MCP tool, where it is none. */
  readonly noMcp?: string;
  /** Why it is in no SDK, where it is in none. */
  readonly noSdk?: string;
  /** Example input, checked against the schema by a test and shown in the reference. */
  readonly example: Readonly<Record<string, unknown>>;
}

export type AnyOperation = Operation<z.ZodObject, z.ZodType>;
export type InputOf<T> = T extends { readonly input: infer I extends z.ZodType } ? z.input<I> : never;
/** The input as a service receives it: checked, with defaults filled in. */
export type ParsedInput<T> = T extends { readonly input: infer I extends z.ZodType } ? z.output<I> : never;
export type OutputOf<T> = T extends { readonly output: infer O extends z.ZodType } ? z.output<O> : never;

type Defaults = 'kind' | 'listener' | 'errors' | 'status' | 'bodyLimit' | 'secretOutput' | 'example';
type Declaration<I extends z.ZodObject, O extends z.ZodType, M extends Method, P extends string> = Omit<
  Operation<I, O, M, P>,
  Defaults
> &
  Partial<Pick<Operation<I, O, M, P>, Defaults>>;

const MIB = 1024 * 1024;

export function operation<I extends z.ZodObject, O extends z.ZodType, const M extends Method, const P extends string>(
  declared: Declaration<I, O, M, P>,
): Operation<I, O, M, P> {
  return {
    kind: 'unary',
    listener: 'api',
    errors: [],
    status: 200,
    bodyLimit: MIB,
    secretOutput: [],
    example: {},
    ...declared,
  };
}

/** What a domain gives for its operations: one verb each. */
export type Handlers<T extends Readonly<Record<string, AnyOperation>>> = {
  readonly [K in keyof T]: (call: Call, input: ParsedInput<T[K]>) => Promise<z.input<T[K]['output']>>;
};

/** An operation together with what runs it. */
export interface BoundOperation {
  readonly operation: AnyOperation;
  run(call: Call, input: unknown): Promise<unknown>;
}

export function bind<T extends Readonly<Record<string, AnyOperation>>>(
  operations: T,
  handlers: Handlers<T>,
): BoundOperation[] {
  return Object.entries(operations).map(([key, operation]) => ({
    operation,
    // The interface has parsed the input by this very operation's schema before it calls.
    run: handlers[key as keyof T] as (call: Call, input: unknown) => Promise<unknown>,
  }));
}

/** Whether a repeat with the same Idempotency-Key is recognised: changes by POST, of somebody who is known. */
export function takesIdempotencyKey(operation: AnyOperation): boolean {
  return (
    operation.method === 'POST' &&
    operation.kind === 'unary' &&
    operation.effect !== 'read' &&
    operation.ability !== 'public'
  );
}

export function domainOf(operation: { readonly name: string }): string {
  return operation.name.slice(0, operation.name.indexOf('.'));
}

/** Names in braces of a path, in order. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
}

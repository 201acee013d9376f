// What the OpenAPI document says of an operation under `x-quarterdeck`: what it is called elsewhere, and what OpenAPI has no
// words for. The reference page reads it.
import type { Effect, OperationKind } from './operation.ts';

export interface OtherNames {
  readonly operation: string;
  readonly ability: string;
  readonly effect: Effect;
  readonly kind: OperationKind;
  /** A line that works as it stands; null where the command line has none. */
  readonly cli: string | null;
  /** The tool for models. */
  readonly mcp: string | null;
  readonly sdk: { readonly noun: string; readonly verb: string } | null;
  /** Input that the schema accepts. */
  readonly example: Readonly<Record<string, unknown>>;
  readonly errors: readonly KnownError[];
}

export interface KnownError {
  readonly code: string;
  readonly status: number;
  readonly message: string;
  readonly hint: string;
}

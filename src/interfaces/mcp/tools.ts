// The tools of MCP, one an operation: their names, schemas and hints, made once. How a call is carried out is in
// session.ts.
import type { Tool } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { Caller } from '../../platform/call.ts';
import type { AnyOperation, BoundOperation } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { invalidInput } from '../http/problem.ts';

export interface OperationTool {
  readonly bound: BoundOperation;
  /** As `tools/list` answers it. */
  readonly definition: Tool;
}

export type Toolbox = ReadonlyMap<string, OperationTool>;

/** What a model reads costs it: defaults of lists and consoles are smaller here than for programs. */
const SMALLER_DEFAULTS: Readonly<Record<string, number>> = { limit: 50, bytes: 8192 };

export function makeToolbox(operations: readonly BoundOperation[]): Toolbox {
  return new Map(
    operations
      .filter(({ operation }) => isTool(operation))
      .map((bound) => [toolName(bound.operation), { bound, definition: definitionOf(bound.operation) }]),
  );
}

export function isTool({ kind, noMcp }: AnyOperation): boolean {
  return noMcp === undefined && (kind === 'unary' || kind === 'poll');
}

/** The words of the command line, so that one name leads everywhere: `agent_pause`. */
export function toolName({ name, cli }: AnyOperation): string {
  return ('none' in cli ? name.slice(name.indexOf('.') + 1) : cli.words).replaceAll(/[ .-]/g, '_');
}

export function mayUse(caller: Caller, { ability }: AnyOperation): boolean {
  return ability === 'any' || caller.abilities.has(ability);
}

/** Checks arguments by the operation's schema. Throws `invalid_input`, `payload_too_large`. */
export function readArguments(operation: AnyOperation, given: Readonly<Record<string, unknown>>): unknown {
  if (Buffer.byteLength(JSON.stringify(given)) > operation.bodyLimit) {
    throw platformErrors.payload_too_large({ limit: operation.bodyLimit });
  }
  const parsed = operation.input.safeParse({ ...smallerDefaults(operation), ...given });
  if (!parsed.success) throw invalidInput(parsed.error);
  return parsed.data;
}

function definitionOf(operation: AnyOperation): Tool {
  const { effect, method, summary, errors } = operation;
  const reads = effect === 'read';
  return {
    name: toolName(operation),
    description: `${summary}.${errors.length === 0 ? '' : ` Errors: ${errors.join(', ')}.`}`,
    inputSchema: schemaOf(operation),
    annotations: {
      readOnlyHint: reads,
      destructiveHint: effect === 'destroy',
      idempotentHint: reads || method === 'PUT' || method === 'DELETE',
      openWorldHint: false,
    },
  };
}

function schemaOf(operation: AnyOperation): Tool['inputSchema'] {
  const { $schema: _, ...schema } = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' });
  const properties = { ...(schema.properties as Record<string, object> | undefined) };
  for (const [field, value] of Object.entries(smallerDefaults(operation))) {
    properties[field] = { ...properties[field], default: value };
  }
  return { ...schema, type: 'object', properties } as Tool['inputSchema'];
}

function smallerDefaults(operation: AnyOperation): Record<string, number> {
  const shape = operation.input.shape as Record<string, z.ZodType>;
  return Object.fromEntries(
    Object.entries(SMALLER_DEFAULTS).filter(([field, most]) => {
      const usual = shape[field]?.safeParse(undefined).data;
      return typeof usual === 'number' && usual > most;
    }),
  );
}

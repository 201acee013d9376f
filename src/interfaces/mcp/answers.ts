// What a tool answers: the operation's output without secrets and with a hint where to go on, or the problem that any
// other interface would have answered.
import type { CallToolResult } from '@modelcontextprotocol/server';
import type { Caller } from '../../platform/call.ts';
import type { AnyOperation } from '../../platform/operation.ts';
import { mayUse, type Toolbox, toolName } from './tools.ts';

type Json = Readonly<Record<string, unknown>>;

export function toolAnswer(
  operation: AnyOperation,
  given: Json,
  output: unknown,
  sight: { readonly tools: Toolbox; readonly caller: Caller },
): CallToolResult {
  const shown = withoutSecrets(output, operation.secretOutput) as Json;
  const next = nextHint(operation, given, shown, sight);
  return jsonResult(next === undefined ? shown : { ...shown, next });
}

/** A refusal that the model can read and act on: of the problem what it can use. */
export function toolRefusal(problem: Json): CallToolResult {
  const { type: _, title: __, status: ___, ...useful } = problem;
  return { ...jsonResult(useful), isError: true };
}

function jsonResult(value: Json): CallToolResult {
  return { content: [{ type: 'text', text: JSON.stringify(value) }], structuredContent: value };
}

/** Leaves out the fields at paths like `jobs.token`: what a model has read may end up anywhere. */
export function withoutSecrets(value: unknown, paths: readonly string[]): unknown {
  return paths.reduce((rest, path) => without(rest, path.split('.')), value);
}

function without(value: unknown, [field, ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item) => without(item, [field!, ...rest]));
  if (typeof value !== 'object' || value === null) return value;
  const { [field!]: found, ...others } = value as Record<string, unknown>;
  return rest.length === 0 || found === undefined ? others : { ...others, [field!]: without(found, rest) };
}

// The call that goes on from here, complete with its arguments; none that this credential could not make.
function nextHint(
  operation: AnyOperation,
  given: Json,
  output: Json,
  { tools, caller }: { readonly tools: Toolbox; readonly caller: Caller },
): string | undefined {
  if (typeof output['next_cursor'] === 'string' && 'after' in operation.input.shape) {
    return callText(toolName(operation), { ...given, after: output['next_cursor'] });
  }
  const { next } = operation;
  if (next === undefined) return undefined;
  const tool = [...tools.values()].find(({ bound }) => bound.operation.name === next.operation);
  if (tool === undefined || !mayUse(caller, tool.bound.operation)) return undefined;
  const fields = Object.entries(next.input ?? {}).map(([field, path]) => [
    field,
    valueAt({ ...given, ...output }, path),
  ]);
  if (fields.some(([, value]) => value === undefined || value === null)) return undefined;
  return callText(tool.definition.name, Object.fromEntries(fields));
}

function callText(name: string, input: Json): string {
  return `${name} ${JSON.stringify(input)}`;
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce((at, step) => (at as Record<string, unknown> | null | undefined)?.[step], value);
}

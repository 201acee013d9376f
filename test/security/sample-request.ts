// A request for an operation, made of its example or of another input.
import type { z } from 'zod';
import { type AnyOperation, pathParameters } from '../../src/platform/operation.ts';
import type { RequestParts } from './wire.ts';

export function hasBody(operation: AnyOperation): boolean {
  return !['GET', 'DELETE'].includes(operation.method);
}

/** Method, address and body for an input; what is no text in a query is written as JSON, lists by commas. */
export function requestFor(operation: AnyOperation, input: Readonly<Record<string, unknown>>): RequestParts {
  const inPath = new Set(pathParameters(operation.path));
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(input[name])));
  const rest = Object.entries(input).filter(([name]) => !inPath.has(name));
  const { method } = operation;
  if (hasBody(operation)) {
    const wants = Object.keys(operation.input.shape as Record<string, z.ZodType>).some((name) => !inPath.has(name));
    return { method, path, body: wants ? JSON.stringify(Object.fromEntries(rest)) : undefined };
  }
  const query = new URLSearchParams(rest.map(([name, value]) => [name, textOf(value)])).toString();
  return { method, path: query === '' ? path : `${path}?${query}` };
}

export function exampleRequest(operation: AnyOperation): RequestParts {
  return requestFor(operation, operation.example);
}

function textOf(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : typeof value === 'string' ? value : JSON.stringify(value);
}

// Puts the input of an operation together from path, query and body, and checks it by the operation's schema.
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { fromText } from '../../platform/field-text.ts';
import { type AnyOperation, pathParameters } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { invalidInput } from './problem.ts';

/** Throws `invalid_input`, `bad_json`. */
export function readInput(operation: AnyOperation, request: FastifyRequest): Record<string, unknown> {
  const shape = operation.input.shape as Record<string, z.ZodType>;
  const values: Record<string, unknown> = {};
  const put = (field: string, value: unknown) => {
    if (Object.hasOwn(values, field)) throw refused(field, 'given twice');
    values[field] = value;
  };
  const inPath = new Set(pathParameters(operation.path));
  for (const [field, text] of Object.entries(request.params as Record<string, string>)) put(field, text);
  for (const [field, text] of queryOf(request)) {
    // Own fields only: every object has a `constructor`.
    const schema = Object.hasOwn(shape, field) ? shape[field] : undefined;
    if (schema === undefined || inPath.has(field)) throw refused(field, 'unknown field');
    put(field, fromText(schema, text));
  }
  for (const [field, value] of Object.entries(bodyOf(operation, request, inPath))) {
    if (inPath.has(field)) throw refused(field, 'it stands in the address already');
    put(field, value);
  }
  const parsed = operation.input.safeParse(values);
  if (!parsed.success) throw invalidInput(parsed.error);
  return parsed.data as Record<string, unknown>;
}

function queryOf(request: FastifyRequest): [string, string][] {
  return Object.entries(request.query as Record<string, string | string[]>).map(([field, text]) => {
    if (typeof text !== 'string') throw refused(field, 'given more than once; separate several values by commas');
    if (text.includes('\u0000') || !text.isWellFormed()) throw platformErrors.invalid_text({ problem: field });
    return [field, text];
  });
}

function bodyOf(operation: AnyOperation, request: FastifyRequest, inPath: ReadonlySet<string>): object {
  const { body } = request;
  if (body === undefined || body === null) {
    const wantsBody = !['GET', 'DELETE'].includes(operation.method);
    const required = Object.entries(operation.input.shape as Record<string, z.ZodType>).some(
      ([field, schema]) => !inPath.has(field) && !schema.safeParse(undefined).success,
    );
    if (wantsBody && required) throw platformErrors.bad_json({ problem: 'it is empty' });
    return {};
  }
  if (typeof body !== 'object' || Array.isArray(body)) {
    throw platformErrors.invalid_input({ problem: 'the body must be a JSON object' });
  }
  return body;
}

function refused(field: string, message: string): Error {
  return platformErrors.invalid_input({ problem: `${field}: ${message}`, errors: [{ field, message }] });
}

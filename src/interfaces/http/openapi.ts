// The OpenAPI 3.1 document, made from the operations.
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { errorSpecs } from '../../app.ts';
import { allOperations } from '../../operations.ts';
import { type AnyOperation, domainOf, pathParameters, takesIdempotencyKey } from '../../platform/operation.ts';
import type { OtherNames } from '../../platform/other-names.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { version } from '../../platform/version.ts';
import { isTool, toolName } from '../mcp/tools.ts';
import { methodName } from '../sdk/method-name.ts';

type Json = Record<string, unknown>;

export function serveOpenApi(server: FastifyInstance): void {
  const text = JSON.stringify(openApiDocument());
  server.get('/v1/openapi.json', { exposeHeadRoute: false }, async (_request, reply) =>
    reply.type('application/json').send(text),
  );
}

export function openApiDocument(): Json {
  const paths: Record<string, Json> = {};
  for (const operation of allOperations) {
    if (operation.kind === 'local') continue;
    paths[operation.path] = { ...paths[operation.path], [operation.method.toLowerCase()]: operationObject(operation) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Quarterdeck',
      version,
      description: 'The self-hosted control plane for a fleet of AI agents.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }, { session: [] }],
    tags: [...new Set(allOperations.map(domainOf))].map((name) => ({ name, description: rooms[name] ?? name })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: 'qd_session' },
      },
      schemas: { Problem: problemSchema },
    },
  };
}

const rooms: Readonly<Record<string, string>> = {
  log: 'Everything that happened, who did it and why',
  access: 'Tenants, operators, agents’ identities, and their credentials',
  work: 'Jobs, and what hands them out',
  fleet: 'How agents run',
};

const problemSchema: Json = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'detail', 'hint', 'retryable', 'request_id'],
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string' },
    detail: { type: 'string' },
    hint: { type: 'string' },
    retryable: { type: 'boolean' },
    request_id: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['field', 'message'],
        properties: { field: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};

function operationObject(operation: AnyOperation): Json {
  const input = schemaOf(operation.input, 'input');
  const properties = (input['properties'] ?? {}) as Record<string, Json>;
  const required = new Set((input['required'] as string[] | undefined) ?? []);
  const inPath = pathParameters(operation.path);
  const rest = Object.keys(properties).filter((name) => !inPath.includes(name));
  const hasBody = !['GET', 'DELETE'].includes(operation.method);
  const parameters = [
    ...inPath.map((name) => ({ name, in: 'path', required: true, schema: properties[name] ?? { type: 'string' } })),
    ...(hasBody ? [] : rest).map((name) => ({
      name,
      in: 'query',
      required: required.has(name),
      schema: properties[name],
      ...(properties[name]?.['type'] === 'array' ? { style: 'form', explode: false } : {}),
    })),
    ...(takesIdempotencyKey(operation)
      ? [{ name: 'Idempotency-Key', in: 'header', required: false, schema: { type: 'string', maxLength: 200 } }]
      : []),
  ];
  const example = Object.fromEntries(Object.entries(operation.example).filter(([name]) => rest.includes(name)));
  return {
    operationId: operation.name.replaceAll('.', '_'),
    tags: [domainOf(operation)],
    summary: operation.summary,
    description: `Ability: \`${operation.ability}\`.`,
    'x-quarterdeck': otherNames(operation),
    ...(operation.ability === 'public' ? { security: [] } : {}),
    parameters,
    ...(hasBody && rest.length > 0
      ? {
          requestBody: {
            required: rest.some((name) => required.has(name)),
            content: {
              'application/json': {
                schema: {
                  type: 'object',
                  additionalProperties: false,
                  properties: Object.fromEntries(rest.map((name) => [name, properties[name]])),
                  required: rest.filter((name) => required.has(name)),
                },
                example,
              },
            },
          },
        }
      : {}),
    responses: {
      [String(operation.status)]: {
        description: 'Success',
        content: { 'application/json': { schema: schemaOf(operation.output, 'output') } },
      },
      ...errorResponses(operation),
    },
  };
}

function otherNames(operation: AnyOperation): OtherNames {
  const { noun, verb } = methodName(operation);
  return {
    operation: operation.name,
    ability: operation.ability,
    effect: operation.effect,
    kind: operation.kind,
    cli: 'none' in operation.cli ? null : operation.cli.example,
    mcp: isTool(operation) ? toolName(operation) : null,
    sdk: operation.noSdk === undefined ? { noun, verb } : null,
    example: operation.example,
    errors: operation.errors.flatMap((code) => {
      const spec = errorSpecs[code];
      return spec === undefined ? [] : [{ code, status: spec.status, message: spec.message, hint: spec.hint }];
    }),
  };
}

// Of the errors that any operation may answer the usual ones are stated with each, the others once, under `default`.
function errorResponses(operation: AnyOperation): Json {
  const byStatus = new Map<number, string[]>();
  const usual = ['invalid_input', ...(operation.ability === 'public' ? [] : ['unauthenticated', 'denied'])];
  for (const code of [...usual, ...operation.errors]) {
    const spec = errorSpecs[code];
    if (spec !== undefined) byStatus.set(spec.status, [...(byStatus.get(spec.status) ?? []), code]);
  }
  const content = { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } };
  return {
    ...Object.fromEntries(
      [...byStatus].map(([status, codes]) => [String(status), { description: codes.join(', '), content }]),
    ),
    default: { description: `Any of ${Object.keys(platformErrors.specs).join(', ')}`, content },
  };
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any' }) as Json;
  return json;
}

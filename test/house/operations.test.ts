// What every operation, error and event must have, so that interfaces and pages made from them are right.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createApp, errorSpecs, eventSpecs } from '../../src/app.ts';
import { abilities, abilityWords } from '../../src/domains/access/index.ts';
import { localOperations } from '../../src/interfaces/cli/local/index.ts';
import { openApiDocument } from '../../src/interfaces/http/openapi.ts';
import { allOperations } from '../../src/operations.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { type AnyOperation, domainOf, pathParameters } from '../../src/platform/operation.ts';
import { rooms } from './directions.ts';
import { readSources } from './source-files.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Names of the operations of which this is not true. */
function except(isTrue: (operation: AnyOperation) => boolean): string[] {
  return allOperations.filter((operation) => !isTrue(operation)).map(({ name }) => name);
}

function twice(values: readonly string[]): string[] {
  return values.filter((value, i) => values.indexOf(value) !== i);
}

describe('every operation', () => {
  it('is bound to a verb', () => {
    const app = createApp({
      databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
      connections: 1,
      part: 'test',
      logger: createLogger('test', 'silent'),
      publicUrl: () => 'http://127.0.0.1',
    });
    expect(app.operations.map(({ operation }) => operation.name).sort()).toEqual(
      allOperations.map(({ name }) => name).sort(),
    );
    expect(allOperations.length).toBeGreaterThan(20);
    return app.stop();
  });

  it('has a name of its room, of which there is one', () => {
    expect(except(({ name }) => /^[a-z]+(\.[a-z_]+){1,3}$/.test(name))).toEqual([]);
    expect(except((operation) => (rooms as readonly string[]).includes(domainOf(operation)))).toEqual([]);
    expect(twice(allOperations.map(({ name }) => name))).toEqual([]);
  });

  it('says in one sentence without an end what it does', () => {
    expect(except(({ summary }) => /^[A-Z].{5,140}[^.]$/.test(summary))).toEqual([]);
  });

  it('has an example that its own schema accepts', () => {
    expect(except(({ input, example }) => input.safeParse(example).success)).toEqual([]);
  });

  it('refuses unknown fields', () => {
    const refusesMore = ({ input, example }: AnyOperation) =>
      !input.safeParse({ ...example, no_such_field: 1 }).success;
    expect(except(refusesMore)).toEqual([]);
  });

  it('names fields in snake_case', () => {
    const fieldsOf = (schema: z.ZodType) => JSON.stringify(z.toJSONSchema(schema, { unrepresentable: 'any' }));
    const names = (text: string) => [...text.matchAll(/"properties":\{"(\w+)"/g)].map((match) => match[1]!);
    const isSnake = (schema: z.ZodType) => names(fieldsOf(schema)).every((name) => /^[a-z0-9_]+$/.test(name));
    expect(except(({ input, output }) => isSnake(input) && isSnake(output))).toEqual([]);
  });

  it('answers only errors that the tables know, and says so once', () => {
    expect(except(({ errors }) => errors.every((code) => errorSpecs[code] !== undefined))).toEqual([]);
    expect(except(({ errors }) => twice(errors).length === 0)).toEqual([]);
  });

  it('has path parameters that stand in its input, and no verb in its path', () => {
    expect(except(({ path, input }) => pathParameters(path).every((name) => name in input.shape))).toEqual([]);
    expect(except(({ path }) => /^\/v1(\/[a-z-]+|\/\{[a-z_]+\})+$/.test(path))).toEqual([]);
  });

  it('has a method and path of its own', () => {
    const places = allOperations.map(({ method, path }) => `${method} ${path.replace(/\{\w+\}/g, '{}')}`);
    expect(twice(places)).toEqual([]);
  });

  it('demands an ability that exists and is explained', () => {
    const known = new Set<string>(['any', 'public', ...abilities]);
    expect(except(({ ability }) => known.has(ability))).toEqual([]);
    expect(Object.keys(abilityWords).sort()).toEqual([...abilities].sort());
  });

  it('that changes something is no GET, and one that only reads is GET or POST', () => {
    expect(
      except(({ method, effect }) => (effect === 'read' ? ['GET', 'POST'].includes(method) : method !== 'GET')),
    ).toEqual([]);
  });

  it('has words on the command line that no other has, or says why it has none', () => {
    const words = [...allOperations, ...localOperations].flatMap(({ cli }) =>
      'none' in cli ? [] : [cli.words, ...(cli.aliases ?? [])],
    );
    expect(twice(words)).toEqual([]);
    expect(
      except(({ cli }) => ('none' in cli ? cli.none.length > 5 : cli.example.includes(`quarterdeck ${cli.words}`))),
    ).toEqual([]);
  });

  it('has positional words that stand in its input', () => {
    expect(
      except(({ cli, input }) => 'none' in cli || (cli.positional ?? []).every((name) => name in input.shape)),
    ).toEqual([]);
  });

  it('declares every secret that it shows, and where', () => {
    const secretFields = (schema: unknown, path: readonly string[]): string[] => {
      const { properties = {}, items } = schema as { properties?: Record<string, unknown>; items?: unknown };
      return [
        ...Object.entries(properties).flatMap(([name, field]) => [
          ...(/^(token|secret|password|key|sign_in_url)$/.test(name) ? [[...path, name].join('.')] : []),
          ...secretFields(field, [...path, name]),
        ]),
        ...(items === undefined ? [] : secretFields(items, path)),
      ];
    };
    const shown = (operation: AnyOperation) =>
      secretFields(z.toJSONSchema(operation.output, { unrepresentable: 'any' }), []);
    expect(except((operation) => shown(operation).every((field) => operation.secretOutput.includes(field)))).toEqual(
      [],
    );
    const hasField = (operation: AnyOperation, field: string) =>
      JSON.stringify(z.toJSONSchema(operation.output, { unrepresentable: 'any' })).includes(
        `"${field.split('.').at(-1)}"`,
      );
    expect(except((operation) => operation.secretOutput.every((field) => hasField(operation, field)))).toEqual([]);
  });

  it('stands in the OpenAPI document and on its generated page', () => {
    const { paths } = openApiDocument() as { paths: Record<string, Record<string, unknown>> };
    expect(except(({ path, method }) => paths[path]?.[method.toLowerCase()] !== undefined)).toEqual([]);
    const page = readFileSync(`${root}docs/reference/operations.md`, 'utf8');
    expect(except(({ name }) => page.includes(`### ${name}\n`))).toEqual([]);
    const onPage = [...page.matchAll(/^### (\S+)$/gm)].map((match) => match[1]!);
    expect(onPage.filter((name) => !allOperations.some((operation) => operation.name === name))).toEqual([]);
  });
});

describe('every error', () => {
  const sources = readSources(root, ['src'], ['.ts']).filter(({ path }) => !/\.test\.ts$|errors\.ts$/.test(path));

  it('has a status, a sentence and what to do next', () => {
    const wrong = Object.entries(errorSpecs).filter(
      ([, { status, message, hint }]) =>
        !(status >= 400 && status < 600 && /^[A-Z{]/.test(message) && /\.$/.test(hint)),
    );
    expect(wrong.map(([code]) => code)).toEqual([]);
  });

  it('is thrown or answered somewhere', () => {
    const all = sources.map(({ text }) => text).join('\n');
    const unused = Object.keys(errorSpecs).filter((code) => {
      const key = code.split('.').at(-1)!;
      return !new RegExp(`Errors\\s*\\.${key}\\b|'${code}'`).test(all);
    });
    expect(unused).toEqual([]);
  });

  it('stands on the generated page, and the page names no other', () => {
    const page = readFileSync(`${root}docs/reference/errors.md`, 'utf8');
    const onPage = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);
    expect(onPage.sort()).toEqual(Object.keys(errorSpecs).sort());
  });
});

describe('every event type', () => {
  it('is past, of a room, explained, and has a payload in snake_case', () => {
    const wrong = Object.entries(eventSpecs).filter(
      ([type, { summary, payload }]) =>
        !(
          /^[a-z]+\.[a-z_]+\.[a-z_]+$/.test(type) &&
          (rooms as readonly string[]).includes(type.split('.')[0]!) &&
          /^([A-Z]|quarterdeck\.yaml ).{5,}[^.]$/.test(summary) &&
          Object.keys(payload.shape).every((field) => /^[a-z0-9_]+$/.test(field))
        ),
    );
    expect(wrong.map(([type]) => type)).toEqual([]);
  });

  it('stands on the generated page, and the page names no other', () => {
    const page = readFileSync(`${root}docs/reference/events.md`, 'utf8');
    const onPage = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]!);
    expect(onPage.sort()).toEqual(Object.keys(eventSpecs).sort());
  });

  it('is written somewhere', () => {
    const all = readSources(root, ['src'], ['.ts'])
      .filter(({ path }) => !/\.test\.ts$|events\.ts$/.test(path))
      .map(({ text }) => text)
      .join('\n');
    const unwritten = Object.keys(eventSpecs).filter((type) => !all.includes(`'${type.slice(type.indexOf('.') + 1)}'`));
    expect(unwritten).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { allOperations } from '../../operations.ts';
import { operation } from '../../platform/operation.ts';
import { methodName, sdkOperations } from './method-name.ts';
import { pythonOperations } from './python.ts';
import { shapeOf } from './shape.ts';
import { typescriptOperations } from './typescript.ts';

function named(name: string, input: z.ZodObject = z.strictObject({})) {
  const cli = { none: 'a test' };
  return operation({
    name,
    summary: 'Do it',
    ability: 'any',
    effect: 'write',
    method: 'POST',
    path: '/v1/x',
    input,
    output: z.object({ ok: z.boolean() }),
    cli,
  });
}

describe('the name of a method', () => {
  it('is the last two words of the operation', () => {
    expect(methodName({ name: 'work.job.add' })).toEqual({ noun: 'job', verb: 'add', pascal: 'JobAdd' });
    expect(methodName({ name: 'fleet.status' })).toEqual({ noun: 'fleet', verb: 'status', pascal: 'FleetStatus' });
    expect(methodName({ name: 'access.sign_in_link.create' }).pascal).toBe('SignInLinkCreate');
  });

  it('belongs to one operation', () => {
    expect(() => sdkOperations([named('work.note.add'), named('fleet.note.add')])).toThrow('one name in the SDKs');
    expect(sdkOperations(allOperations).length).toBeGreaterThan(20);
  });
});

describe('a generator', () => {
  it('leaves out what opts out, and nothing else', () => {
    const [typescript, python] = [typescriptOperations(allOperations), pythonOperations(allOperations)];
    for (const { name, noSdk } of allOperations) {
      expect(typescript.includes(`name: '${name}'`), name).toBe(noSdk === undefined);
      expect(python.includes(`Wire("${name}"`), name).toBe(noSdk === undefined);
    }
  });

  it('refuses what it has no type for, what is no name, and what would end a comment', () => {
    const field = (schema: z.ZodType) => [named('work.a.b', z.strictObject({ field: schema }))];
    expect(() => shapeOf(z.tuple([z.string()]), 'input')).toThrow('no shape');
    expect(() => typescriptOperations(field(z.string().describe('a */ b')))).toThrow('comment');
    expect(() => pythonOperations(field(z.string().nullable()))).toThrow('several things');
    expect(() => pythonOperations([named('work.a.b', z.strictObject({ from: z.string() }))])).toThrow('"from"');
  });

  it('has optional fields where the input has defaults, and certain ones in the output', () => {
    const schema = z.object({ a: z.string().default('x').describe('A word'), b: z.int().nullable() });
    expect(shapeOf(schema, 'input')).toEqual({
      kind: 'record',
      fields: [
        { name: 'a', shape: { kind: 'string' }, required: false, doc: 'A word; default: "x"' },
        {
          name: 'b',
          shape: { kind: 'union', members: [{ kind: 'integer' }, { kind: 'null' }] },
          required: true,
          doc: '',
        },
      ],
    });
    expect(shapeOf(schema, 'output')).toMatchObject({ fields: [{ required: true }, { required: true }] });
  });
});

describe('the core of the TypeScript SDK', () => {
  it('imports nothing of Node: it runs in a browser too', async () => {
    const { readSources, importsOf } = await import('../../../test/house/source-files.ts');
    const { fileURLToPath } = await import('node:url');
    const files = readSources(fileURLToPath(new URL('../../../', import.meta.url)), ['sdk/src'], ['.ts']);
    const reached = new Set<string>();
    const visit = (path: string) => {
      if (reached.has(path)) return;
      reached.add(path);
      const text = files.find((file) => file.path === path)!.text;
      for (const target of importsOf(text)) {
        expect(target, path).toMatch(/^\.\//);
        visit(`sdk/src/${target.slice(2)}`);
      }
    };
    visit('sdk/src/index.ts');
    expect(reached.size).toBeGreaterThan(12);
    expect([...reached].filter((path) => path.includes('outbox'))).toEqual([]);
  });
});

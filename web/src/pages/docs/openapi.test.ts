import { describe, expect, it } from 'vitest';
import { openApiDocument } from '../../../../src/interfaces/http/openapi.ts';
import { allOperations } from '../../../../src/operations.ts';
import { fieldsOf, found, meaningOf, type OpenApi, operationsOf, typeWords } from './openapi.ts';
import { addressOf, languages, snippetOf } from './snippets.ts';

// As the page gets it: over the wire.
const document = JSON.parse(JSON.stringify(openApiDocument())) as OpenApi;
const operations = operationsOf(document);
const get = (name: string) => operations.find((one) => one.operation === name)!;

describe('the reference', () => {
  it('has every operation of the server, in the order of the rooms', () => {
    const served = allOperations.filter(({ kind }) => kind !== 'local').map(({ name }) => name);
    expect(operations.map((one) => one.operation).sort()).toEqual(served.sort());
    const rooms = operations.map((one) => one.room);
    expect(rooms.filter((room, i) => room !== rooms[i - 1])).toEqual([...new Set(rooms)]);
  });

  it('tells of every operation an answer, and of each field a type', () => {
    for (const one of operations) {
      expect(one.answer.schema, one.operation).toBeDefined();
      const fields = [...fieldsOf(one.body), ...fieldsOf(one.answer.schema)];
      for (const field of fields) expect(field.type, `${one.operation} ${field.path}`).not.toBe('');
    }
  });

  it('finds by words of the name, the path, the command and the errors, and all of them must fit', () => {
    const names = (query: string) => found(operations, query).map((one) => one.operation);
    expect(names('job add')).toContain('work.job.add');
    expect(names('/v1/jobs/claims')).toEqual(['work.job.claim']);
    expect(names('access.tenant_exists')).toEqual(['access.tenant.create']);
    expect(names('job nonsense')).toEqual([]);
    expect(names('')).toHaveLength(operations.length);
  });

  it('shows fields inside of lists and of what may be absent', () => {
    const fields = fieldsOf(get('work.job.add').body);
    expect(fields.find(({ path }) => path === 'jobs')).toMatchObject({ type: 'list of object', depth: 0 });
    expect(fields.find(({ path }) => path === 'jobs[].kind')).toMatchObject({ isRequired: true, depth: 1 });
    const answer = fieldsOf(get('work.job.show').answer.schema);
    expect(answer.find(({ path }) => path === 'agent')?.type).toBe('string or null');
    expect(typeWords({})).toBe('any JSON');
    expect(meaningOf({ minimum: 1, maximum: 500, default: 100, description: 'Most' })).toBe(
      'Most · ≥ 1, ≤ 500, default 100',
    );
    expect(meaningOf({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })).toBe('');
  });
});

describe('examples', () => {
  it('are there for every operation, but where the server says that there is none', () => {
    for (const one of operations) {
      for (const language of languages) {
        const snippet = snippetOf(one, language, 'http://deck');
        const isThere = language === 'curl' || (language === 'cli' ? one.cli !== null : one.sdk !== null);
        expect(snippet !== undefined, `${one.operation} ${language}`).toBe(isThere);
        expect(snippet ?? '').not.toMatch(/undefined|\[object/);
      }
    }
  });

  it('ask with the values of the example, each language in its own writing', () => {
    const add = get('work.job.add');
    expect(snippetOf(add, 'curl', 'http://deck')).toContain(`curl -X POST 'http://deck/v1/jobs'`);
    expect(snippetOf(add, 'typescript', '')).toContain(`qd.job.add({ kind: 'reprice', payload: { sku: 'A1' } })`);
    expect(snippetOf(add, 'python', '')).toContain(`qd.job.add(kind="reprice", payload={"sku": "A1"})`);
    const odd = { ...add, example: { on: true, off: null, "it's": ["a'b", 1.5] } };
    expect(snippetOf(odd, 'python', '')).toContain('on=True, off=None');
    expect(snippetOf(odd, 'typescript', '')).toContain(`{ on: true, off: null, 'it\\'s': ['a\\'b', 1.5] }`);
    expect(snippetOf(odd, 'curl', '')).toContain(`a'\\''b`);
  });

  it('put values into path and query, and leave a place open that has none', () => {
    const show = get('work.job.show');
    expect(addressOf(show, {})).toBe('/v1/jobs/{job}');
    expect(addressOf(show, { job: 'a/b' })).toBe('/v1/jobs/a%2Fb');
    expect(addressOf(get('work.job.list'), { state: 'dead', queue: '', limit: 5 })).toBe('/v1/jobs?state=dead&limit=5');
  });
});

import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';
import { listAgents, showAgent } from '../../domains/fleet/operations.ts';
import { listEvents } from '../../domains/log/operations.ts';
import { addJobs, showJob } from '../../domains/work/operations.ts';
import { allOperations } from '../../operations.ts';
import { checkFields, type Format, fieldNames, render } from './formats.ts';
import { globalOptions } from './global-options.ts';
import { idFields, listFor } from './id-fields.ts';
import { localOperations } from './local/index.ts';

const answer = {
  items: [
    { id: 'job_1', state: 'queued', payload: { sku: 'A,1', note: 'say "hi"' }, gone: null },
    { id: 'job_2', state: 'dead', payload: { sku: '\u001b[2J', note: 'two\nlines' }, gone: null },
  ],
  next_cursor: 'c2',
  as_of: 'c9',
};

const shown = async (format: Format, fields?: readonly string[], value: unknown = answer) =>
  (await render(value, { format, fields, look: {} }, { columns: ['id', 'state'] })).text;

describe('an answer', () => {
  it('is one JSON document with its envelope', async () => {
    expect(JSON.parse(await shown('json'))).toEqual(answer);
  });

  it('has only the fields that were asked for, as nested as they were', async () => {
    expect(JSON.parse(await shown('json', ['id', 'payload.sku']))).toEqual({
      items: [
        { id: 'job_1', payload: { sku: 'A,1' } },
        { id: 'job_2', payload: { sku: '\u001b[2J' } },
      ],
      next_cursor: 'c2',
      as_of: 'c9',
    });
  });

  it('is a line an item as ndjson', async () => {
    const lines = (await shown('ndjson', ['state'])).split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([{ state: 'queued' }, { state: 'dead' }]);
  });

  it('means the same as YAML, with nothing in it that a terminal obeys', async () => {
    const text = await shown('yaml');
    expect(parse(text)).toEqual(answer);
    expect(text).not.toContain('\u001b');
  });

  it('is a line a row as CSV, quoted where it must be', async () => {
    expect(await shown('csv', ['id', 'payload.sku', 'payload.note', 'gone'])).toBe(
      'id,payload.sku,payload.note,gone\njob_1,"A,1","say ""hi""",\njob_2,\\u001b[2J,two\\u000alines,',
    );
  });

  it('is ids alone, for one thing as for a list', async () => {
    expect(await shown('id')).toBe('job_1\njob_2');
    expect(await shown('id', undefined, { agent: 'pricer', state: 'late' })).toBe('pricer');
  });

  it('says that there are more, and nothing where there is nothing', async () => {
    const form = { format: 'table', fields: undefined, look: {} } as const;
    expect((await render(answer, form, { columns: ['id'] })).note).toBe('there are more: --after c2');
    expect((await render({ items: [] }, form, { columns: ['id'] })).text).toBe('nothing');
  });

  it('of an empty list is an empty document in every form', async () => {
    const none = { items: [], next_cursor: null };
    expect(await shown('csv', undefined, none)).toBe('id,state');
    expect(await shown('ndjson', undefined, none)).toBe('');
    expect(await shown('id', undefined, none)).toBe('');
  });
});

describe('--fields', () => {
  it('knows the fields of the items, and goes into what has no fixed ones', () => {
    expect(fieldNames(listAgents.output)).toContain('state_reason');
    expect(() => checkFields(['agent', 'state'], listAgents.output)).not.toThrow();
    expect(() => checkFields(['payload.anything.at_all'], listEvents.output)).not.toThrow();
    expect(() => checkFields(['id'], addJobs.output)).not.toThrow();
  });

  it('refuses a field that no answer holds, and names the nearest', () => {
    expect(() => checkFields(['agnet'], showAgent.output)).toThrow(
      expect.objectContaining({ exitCode: 2, hint: 'Did you mean agent?' }),
    );
    expect(() => checkFields(['state.x'], listAgents.output)).toThrow('there is no field state.x');
  });

  it('takes any path where the output has no shape', () => {
    expect(() => checkFields(['a.b'], z.record(z.string(), z.unknown()))).not.toThrow();
  });
});

describe('ids', () => {
  it('are what the command takes that shows one', () => {
    expect(idFields(listEvents, allOperations)[0]).toBe('cursor');
    expect(idFields(listAgents, allOperations)[0]).toBe('agent');
    expect(idFields(showJob, allOperations)).toContain('id');
  });

  it('come from the list of their kind', () => {
    expect(listFor('agent', allOperations)).toBe(listAgents);
    expect(listFor('reason', allOperations)).toBeUndefined();
  });
});

it('no operation has a field of the name of an option that every command takes', () => {
  const names = globalOptions.map(({ flag }) => flag.replace(/^--(no-)?/, ''));
  const clashes = allOperations.flatMap(({ name, input, cli }) =>
    'none' in cli
      ? []
      : Object.keys(input.shape)
          .filter((field) => names.includes(field))
          .map((field) => `${name}: ${field}`),
  );
  expect(clashes).toEqual([]);
  // These take theirs from there, under the same meaning.
  const shared = new Set(['data', 'url', 'timeout', 'context']);
  const local = localOperations.flatMap(({ name, input }) =>
    Object.keys(input.shape)
      .filter((field) => names.includes(field) && !shared.has(field))
      .map((field) => `${name}: ${field}`),
  );
  expect(local).toEqual([]);
});

import { expect, test } from 'vitest';
import { type AccountSource, findOrCreate } from './account.ts';

const line = (name: string, id: number) => `${name}:x:${id}:${id}::/:/bin/sh\n`;

function machine(lines: string[], canCreate: boolean): AccountSource & { created: string[] } {
  const created: string[] = [];
  return {
    created,
    passwd: () => lines.join(''),
    create: async (name) => {
      created.push(name);
      if (canCreate) lines.push(line(name, 990));
      return canCreate;
    },
  };
}

test('an account named postgres is used, and nothing is created', async () => {
  const source = machine([line('root', 0), line('quarterdeck', 990), line('postgres', 101)], true);
  expect((await findOrCreate(source)).run).toEqual({ name: 'postgres', uid: 101, gid: 101 });
  expect(source.created).toEqual([]);
});

test('without postgres an account quarterdeck is used, or created once', async () => {
  const source = machine([line('root', 0), line('daemon', 1)], true);
  const first = await findOrCreate(source);
  expect(first).toEqual({ run: { name: 'quarterdeck', uid: 990, gid: 990 }, init: first.run });
  expect(await findOrCreate(source)).toEqual(first);
  expect(source.created).toEqual(['quarterdeck']);
});

test('where no account can be created the server gets a number of its own that nobody has', async () => {
  const source = machine([line('root', 0), line('daemon', 1), line('somebody', 64_670)], false);
  expect(await findOrCreate(source)).toEqual({
    run: { name: '64671', uid: 64_671, gid: 64_671 },
    init: { name: 'daemon', uid: 1, gid: 1 },
  });
});

test('an account that is root under another name is never used', async () => {
  const source = machine([line('root', 0), line('postgres', 0), line('daemon', 1)], false);
  expect((await findOrCreate(source)).run.uid).toBe(64_670);
});

test('a machine that knows nobody but root is told what to do', async () => {
  await expect(findOrCreate(machine([line('root', 0)], false))).rejects.toMatchObject({
    code: 'no_account',
    hint: expect.stringContaining('useradd'),
  });
});

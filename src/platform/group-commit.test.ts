import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GroupCommit } from './group-commit.ts';

interface Item {
  readonly id: number;
  readonly weight: number;
  readonly fails: boolean;
}

const items = fc.array(
  fc.record({ weight: fc.integer({ min: 1, max: 40 }), fails: fc.boolean(), turns: fc.nat({ max: 3 }) }),
  { maxLength: 40 },
);

describe('group commit', () => {
  it('answers each item with its own result, in order, and a bad one alone is refused', async () => {
    await fc.assert(
      fc.asyncProperty(items, async (made) => {
        const committed: number[] = [];
        const sizes: number[] = [];
        const group = new GroupCommit<Item, string>(
          async (batch) => {
            await Promise.resolve();
            sizes.push(batch.length === 1 ? 0 : batch.reduce((sum, { weight }) => sum + weight, 0));
            const bad = batch.find(({ fails }) => fails);
            if (bad !== undefined) throw new Error(`bad ${bad.id}`);
            committed.push(...batch.map(({ id }) => id));
            return batch.map(({ id }) => `done ${id}`);
          },
          () => false,
          { maxWeight: 100, maxWaiting: 10_000 },
        );
        const answers: Promise<string>[] = [];
        for (const [id, { weight, fails, turns }] of made.entries()) {
          const answer = group.submit({ id, weight, fails }, weight);
          answers.push(answer.catch((error: Error) => error.message));
          for (let turn = 0; turn < turns; turn++) await Promise.resolve();
        }
        expect(await Promise.all(answers)).toEqual(made.map(({ fails }, id) => (fails ? `bad ${id}` : `done ${id}`)));
        expect(committed).toEqual(made.flatMap(({ fails }, id) => (fails ? [] : [id])));
        // A lone item may be heavier than a commit may be.
        expect(Math.max(0, ...sizes)).toBeLessThanOrEqual(100);
      }),
    );
  });

  it('commits once what is submitted while a commit is under way', async () => {
    const batches: number[][] = [];
    const under = Promise.withResolvers<void>();
    const group = new GroupCommit<number, number>(
      async (batch) => {
        batches.push(batch);
        await under.promise;
        return batch;
      },
      () => false,
    );
    const first = group.submit(1);
    await Promise.resolve();
    await Promise.resolve();
    const others = [2, 3, 4].map((item) => group.submit(item));
    under.resolve();
    expect(await Promise.all([first, ...others])).toEqual([1, 2, 3, 4]);
    expect(batches).toEqual([[1], [2, 3, 4]]);
  });

  it('refuses the whole group when the failure is everybody’s, and tries none alone', async () => {
    let commits = 0;
    const group = new GroupCommit<number, number>(
      () => {
        commits++;
        return Promise.reject(new Error('away'));
      },
      () => true,
    );
    const answers = await Promise.allSettled([1, 2, 3].map((item) => group.submit(item)));
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    expect(commits).toBe(1);
  });

  it('refuses what is too much at once, and takes more when that is done', async () => {
    const under = Promise.withResolvers<void>();
    const group = new GroupCommit<number, number>(
      async (batch) => {
        await under.promise;
        return batch;
      },
      () => false,
      { maxWeight: 10, maxWaiting: 20 },
    );
    const taken = [group.submit(1, 10), group.submit(2, 10)];
    await expect(group.submit(3, 1)).rejects.toMatchObject({ code: 'overloaded' });
    under.resolve();
    expect(await Promise.all(taken)).toEqual([1, 2]);
    expect(await group.submit(4, 20)).toBe(4);
  });
});

import { expect, it } from 'vitest';
import { everyOne, everyStep } from './every-step.ts';

it('a step that fails keeps none of the later ones from being done, and is told at the end', async () => {
  const done: string[] = [];
  const first = new Error('the kernel holds it');
  const run = everyStep(
    () => Promise.reject(first),
    async () => void done.push('second'),
    () => void done.push('third'),
  );
  await expect(run).rejects.toBe(first);
  expect(done).toEqual(['second', 'third']);
});

it('several that fail are told together', async () => {
  const fail = (message: string) => () => Promise.reject(new Error(message));
  await expect(everyStep(fail('one'), fail('two'))).rejects.toThrow('one; two');
});

it('works that go on are waited for when one beside them fails', async () => {
  const slow = Promise.withResolvers<void>();
  const ended: string[] = [];
  const all = everyOne([Promise.reject(new Error('at once')), slow.promise.then(() => ended.push('slow'))]);
  slow.resolve();
  await expect(all).rejects.toThrow('at once');
  expect(ended).toEqual(['slow']);
});

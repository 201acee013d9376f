// Taking down goes on past a step that failed: what could not be ended must not keep the rest alive.

/** Does one step after the other, all of them; then throws what failed. */
export async function everyStep(...steps: readonly (() => unknown)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) {
    try {
      await step();
    } catch (error) {
      errors.push(error);
    }
  }
  throwAny(errors);
}

/** Waits for the end of all of them; then throws what failed. */
export async function everyOne(works: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(works);
  throwAny(outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : [])));
}

function throwAny(errors: readonly unknown[]): void {
  if (errors.length === 0) return;
  if (errors.length === 1) throw errors[0];
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  throw new AggregateError(errors, messages.join('; '));
}

// What `bin/test` says at its end: a line a step, what went wrong, and one last line of sums.
import type { Counts } from './results.ts';

export interface StepResult {
  readonly name: string;
  readonly seconds: number;
  /** Whether its commands ended well; what it left behind or skipped is in `complaints`. */
  readonly passed: boolean;
  readonly counts?: Counts;
  readonly complaints: readonly string[];
}

export function stepFailed(result: StepResult): boolean {
  return !result.passed || result.complaints.length > 0 || (result.counts?.failed ?? 0) > 0;
}

/** A step that failed without a failed test of its own (a type error, a crash, a leftover) counts as one: never «0 failed» on a red run. */
function failures(result: StepResult): number {
  return Math.max(result.counts?.failed ?? 0, stepFailed(result) ? 1 : 0);
}

export function describeStep(result: StepResult): string {
  const verdict = stepFailed(result) ? 'FAILED' : 'passed';
  const counts = result.counts === undefined ? '' : `  ${describeCounts(result.counts)}`;
  return `${result.name.padEnd(10)} ${verdict} ${result.seconds.toFixed(1).padStart(7)} s${counts}`;
}

function describeCounts(counts: Counts): string {
  return sums(counts.passed, counts.failed, counts.skipped.length);
}

function sums(passed: number, failed: number, skipped: number): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

export function summarize(results: readonly StepResult[]): string {
  const add = (count: (result: StepResult) => number): number =>
    results.reduce((sum, result) => sum + count(result), 0);
  const lines = results.flatMap((result) => [
    describeStep(result),
    ...result.complaints.map((complaint) => `           ${complaint}`),
  ]);
  const last = sums(
    add((result) => result.counts?.passed ?? 0),
    add(failures),
    add((result) => result.counts?.skipped.length ?? 0),
  );
  return `${lines.join('\n')}\n\n${last}\n`;
}

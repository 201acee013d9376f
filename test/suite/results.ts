// Reads what vitest wrote about one project (its JSON report) into counts. Knows nothing of processes.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Full names of the tests that did not run: skipped ones and those only planned. */
  readonly skipped: readonly string[];
}

const report = z.object({
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

/** Counts of the report in `file`; undefined when vitest died before it wrote one. */
export function readResults(file: string): Counts | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
  return countResults(JSON.parse(text));
}

export function countResults(json: unknown): Counts {
  let passed = 0;
  let failed = 0;
  const skipped: string[] = [];
  for (const file of report.parse(json).testResults) {
    const before = failed;
    for (const test of file.assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failed += 1;
      else skipped.push(test.fullName);
    }
    // A file that could not be loaded, or whose hook threw, has no failed test of its own.
    if (file.status === 'failed' && failed === before) failed += 1;
  }
  return { passed, failed, skipped };
}

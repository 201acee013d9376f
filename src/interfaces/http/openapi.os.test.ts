// The document of the API, before a linter that others use too.
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { openApiDocument } from './openapi.ts';

const LINTER = fileURLToPath(new URL('../../../node_modules/@redocly/cli/bin/cli.js', import.meta.url));

interface Problem {
  readonly severity: string;
  readonly ruleId: string;
  readonly message: string;
  readonly location: readonly { readonly pointer?: string }[];
}

/** What the linter finds, with its recommended rules. */
async function lint(document: object): Promise<string[]> {
  const dir = mkdtempSync(join(tmpdir(), 'qd-openapi-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'openapi.json');
  writeFileSync(file, JSON.stringify(document));
  const args = [LINTER, 'lint', file, '--format=json', '--extends=recommended', '--max-problems=500'];
  const env = {
    PATH: process.env['PATH'],
    HOME: dir,
    REDOCLY_TELEMETRY: 'off',
    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
  };
  // It ends with 1 where it finds errors.
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: dir, env }).catch((error) => error);
  const { problems } = JSON.parse(stdout) as { problems: Problem[] };
  return problems.map(({ severity, ruleId, message, location }) =>
    [severity, ruleId, location[0]?.pointer, message].join(' '),
  );
}

it('has neither errors nor warnings', async () => {
  expect(await lint(openApiDocument())).toEqual([]);
});

it('would be found out with a path parameter that is not declared', async () => {
  const document = structuredClone(openApiDocument()) as { paths: Record<string, Record<string, { parameters: [] }>> };
  document.paths['/v1/jobs/{job}']!['get']!.parameters = [];
  expect((await lint(document)).join('\n')).toMatch(/path-parameters-defined/);
});

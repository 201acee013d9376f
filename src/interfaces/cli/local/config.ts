// `quarterdeck config explain|check`: which settings a start typed here would use, where each comes from, and what is
// wrong. Nothing is started and nothing is changed. How the rules are is in src/config.ts.
import { z } from 'zod';
import { settingKeys } from '../../../config/settings.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation } from '../local-operation.ts';
import { nearest } from '../nearest.ts';
import { table } from '../show.ts';
import { placeInput } from './place.ts';

export const explainSettings = localOperation({
  name: 'config.explain',
  summary: 'Every setting: its value, which of flag, environment, file or default gave it, and what it does',
  input: z.strictObject({
    key: z.string().max(100).optional().describe('Only this one, like api_port'),
    ...placeInput,
  }),
  cli: { words: 'config explain', positional: ['key'], example: 'quarterdeck config explain' },
  async run({ key, ...place }, output) {
    const { readPlace, settingRows } = await import('./config-report.ts');
    const explained = readPlace(place);
    const rows = settingRows(explained).filter((row) => key === undefined || row.key === key);
    if (rows.length === 0) throw unknownKey(key ?? '');
    const file = explained.manifest?.file ?? null;
    if (output.json) output.out(JSON.stringify({ items: rows, manifest: file, problems: explained.problems }));
    else {
      output.out(
        table(rows, key === undefined ? ['key', 'value', 'origin', 'what'] : ['key', 'value', 'origin'], output.look),
      );
      if (key !== undefined) output.out(`\n${rows[0]!.what}.\nSet it with ${rows[0]!.ways.join(', ')}.`);
      output.say(file === null ? 'no quarterdeck.yaml was read' : `read: ${file}`);
      for (const problem of explained.problems) output.say(`wrong: ${problemLine(problem)}`);
    }
    return explained.problems.length === 0 ? exitCodes.ok : exitCodes.usage;
  },
});

export const checkConfig = localOperation({
  name: 'config.check',
  summary: 'Whether a start typed here would accept its settings and quarterdeck.yaml, and what looks unwise',
  input: z.strictObject(placeInput),
  cli: { words: 'config check', example: 'quarterdeck config check --config quarterdeck.yaml' },
  async run(place, output) {
    const { advice, readPlace } = await import('./config-report.ts');
    const explained = readPlace(place);
    const { problems, manifest } = explained;
    const advised = advice(explained);
    const file = manifest?.file ?? null;
    const agents = Object.keys(manifest?.agents ?? {}).length;
    if (output.json) {
      output.out(JSON.stringify({ ok: problems.length === 0, manifest: file, agents, problems, advice: advised }));
    } else {
      for (const problem of problems) output.out(`wrong   ${problemLine(problem)}`);
      for (const text of advised) output.out(`advice  ${text}`);
      if (problems.length === 0) output.out(`right   ${file ?? 'no quarterdeck.yaml'}, ${agents} agents`);
    }
    return problems.length === 0 ? exitCodes.ok : exitCodes.usage;
  },
});

interface Problem {
  readonly place: string;
  readonly key?: string;
  readonly seen?: string;
  readonly expected: string;
}

function problemLine({ place, key, seen, expected }: Problem): string {
  const subject = key === undefined ? place : `${place}: ${key}`;
  return seen === undefined ? `${subject}: ${expected}` : `${subject}: expected ${expected}, found ${seen}`;
}

function unknownKey(key: string): CliFailure {
  const near = nearest(key, settingKeys);
  const hint = near === undefined ? `There are: ${settingKeys.join(', ')}.` : `Did you mean ${near}?`;
  return new CliFailure(`there is no setting ${key}`, exitCodes.notFound, hint);
}

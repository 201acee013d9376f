import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { exampleManifest } from './example.ts';
import { readManifest } from './manifest.ts';
import { settingKeys, settings } from './settings.ts';

function readText(text: string) {
  const dir = mkdtempSync(join(tmpdir(), 'qd-example-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'quarterdeck.yaml');
  writeFileSync(file, text);
  return readManifest(file, 'quarterdeck.yaml');
}

it('the commented example changes nothing as it stands', () => {
  expect(readText(exampleManifest())).toMatchObject({
    settings: {},
    agents: {},
    work: { channels: {}, schedules: {} },
  });
});

it('every key of the example is accepted when it is taken in, and none is missing', () => {
  const taken = exampleManifest()
    .split('\n')
    .filter((line) => /^# +[\w-]+: ?/.test(line))
    .map((line) => line.slice(2))
    .join('\n');
  const manifest = readText(taken);
  expect(Object.keys(manifest.settings)).toEqual(settingKeys.filter((key) => settings[key].manifest));
  expect(manifest.work).toMatchObject({
    channels: { ebay: { concurrency: 4, tenant: 'fleet' } },
    schedules: { 'nightly-prices': { zone: 'Europe/Berlin', catch_up: 'once', tenant: 'default' } },
  });
  expect(manifest.agents['pricer']).toMatchObject({ restart: 'always', silence_limit: 60 });
});

it('every setting has a meaning and an example that its own schema accepts', () => {
  for (const key of settingKeys) {
    const { schema } = settings[key];
    expect(schema.description, key).toBeTruthy();
    const examples = (schema.meta()?.['examples'] ?? []) as unknown[];
    expect(examples.length, key).toBeGreaterThan(0);
    for (const example of examples) expect(schema.safeParse(example).success, key).toBe(true);
  }
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { readManifest } from './manifest.ts';

function refusalOf(text: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-manifest-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'quarterdeck.yaml');
  writeFileSync(file, text);
  try {
    readManifest(file, 'quarterdeck.yaml');
  } catch (error) {
    return (error as Error).message;
  }
  return 'not refused';
}

const COMMAND = 'agents.pricer.command: expected a command: a list of words, or a line with `shell: true`, found';

it.each([
  ['is missing', 'restart: always', `quarterdeck.yaml:2: ${COMMAND} nothing`],
  ['is empty', 'command:', `quarterdeck.yaml:3: ${COMMAND} null`],
  ['is an empty list', 'command: []', `quarterdeck.yaml:3: ${COMMAND} []`],
  ['is a number', 'command: 7', `quarterdeck.yaml:3: ${COMMAND} 7`],
  ['holds what is no word', 'command: [sleep, 7]', `quarterdeck.yaml:3: ${COMMAND} ["sleep",7]`],
])('a command that %s is refused with what a command looks like', (_, line, refusal) => {
  expect(refusalOf(`agents:\n  pricer:\n    ${line}\n`)).toBe(refusal);
});

it('a command without text is refused at its word', () => {
  expect(refusalOf("agents:\n  pricer:\n    command: [sleep, '']\n")).toBe(
    'quarterdeck.yaml:3: agents.pricer.command.1: expected some text, found ""',
  );
});

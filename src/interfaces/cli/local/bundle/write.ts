// Makes the archive: everything through the mask, said before it is written, readable by nobody else.
import { rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { CliFailure } from '../../client.ts';
import { exitCodes } from '../../exit-codes.ts';
import type { Output } from '../../local-operation.ts';
import { readPlace } from '../config-report.ts';
import { findDataDir, type Place } from '../place.ts';
import { type Collected, collect } from './collect.ts';
import { knownSecrets, maskOf } from './masking.ts';
import { tar } from './tar.ts';

interface Input extends Place {
  readonly file?: string | undefined;
  readonly list: boolean;
}

const ROOT = 'quarterdeck-bundle';

export async function writeBundle({ file, list, ...place }: Input, output: Output): Promise<number> {
  const at = new Date();
  const path = resolve(file ?? `${ROOT}-${at.toISOString().replace(/[-:]|\.\d+/g, '')}.tar.gz`);
  const { dataDir, exists } = await findBundleDir(place);
  const { parts, missing } = masked(await collect(dataDir, exists, place), dataDir, place);
  const contents = parts.map(({ name, text }) => ({ name, bytes: Buffer.byteLength(text) }));
  if (!output.json) {
    for (const { name, bytes } of contents) output.say(`${String(bytes).padStart(9)}  ${name}`);
    for (const { name, why } of missing) output.say(`  missing  ${name}: ${why}`);
  }
  if (list) {
    if (output.json) output.out(JSON.stringify({ file: null, contents, missing }));
    return exitCodes.ok;
  }
  const index = {
    name: 'contents.json',
    text: `${JSON.stringify({ at: at.toISOString(), contents, missing }, null, 2)}\n`,
  };
  const files = [index, ...parts].map(({ name, text }) => ({ name: `${ROOT}/${name}`, bytes: Buffer.from(text) }));
  writeNew(path, gzipSync(tar(files, at)));
  if (output.json) output.out(JSON.stringify({ file: path, contents, missing }));
  else {
    output.say(
      'names of agents, tenants, queues and files may be in it; tokens, passwords and payloads are not. Look before you send it.',
    );
    output.out(path);
  }
  return exitCodes.ok;
}

// The settings may be what is wrong, and then the report is needed most.
async function findBundleDir(place: Place): Promise<{ readonly dataDir: string; readonly exists: boolean }> {
  try {
    return await findDataDir(place);
  } catch (error) {
    const said = readPlace(place).settings.find(({ key }) => key === 'data')?.value;
    if (typeof said !== 'string') throw error;
    return findDataDir({ data: resolve(said) });
  }
}

function masked({ parts, missing }: Collected, dataDir: string, place: Place): Collected {
  const { settings, manifest } = readPlace(place);
  const addresses = settings.map(({ value }) => (typeof value === 'string' ? value : undefined));
  // What the manifest gives to agents is theirs, whatever the names are.
  const given = Object.values(manifest?.agents ?? {}).flatMap(({ env = {}, secrets = [] }) => [
    ...Object.values(env),
    ...secrets.map((name) => process.env[name] ?? ''),
  ]);
  const mask = maskOf([...knownSecrets(dataDir, process.env, addresses), ...given]);
  const home = homedir();
  const clean = (text: string) => {
    const shown = mask(text);
    return home.length > 1 ? shown.replaceAll(home, '~') : shown;
  };
  return {
    parts: parts.map(({ name, text }) => ({ name, text: clean(text) })),
    missing: missing.map(({ name, why }) => ({ name, why: clean(why) })),
  };
}

function writeNew(path: string, bytes: Buffer): void {
  try {
    writeFileSync(path, bytes, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new CliFailure(`${path} is there already`, exitCodes.conflict, 'Name another file; nothing was written.');
    }
    // Half an archive is of no use to anybody.
    if (code === 'ENOSPC') rmSync(path, { force: true });
    throw new CliFailure(`${path} cannot be written: ${message}`, exitCodes.failed, 'Name a file elsewhere.');
  }
}

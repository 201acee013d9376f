// Where the harbour keeps its files, below the working directory: documents/ is read, output/ is written. And how long an
// agent may hold a job without a sign of progress.
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { GiveUp } from '@quarterdeck/sdk';

export const LEASE_SECONDS = Number(process.env.HARBOUR_LEASE_SECONDS ?? 30);

// A payload comes from whoever may add jobs: it names a document, never a path.
const DOCUMENT = /^[a-z0-9-]+\.md$/;

export async function listDocuments() {
  return (await readdir('documents')).filter((name) => DOCUMENT.test(name)).sort();
}

export async function readDocument(name) {
  if (typeof name !== 'string' || !DOCUMENT.test(name)) throw new GiveUp(`"${name}" is not the name of a document`);
  return readFile(join('documents', name), 'utf8').catch((error) => {
    throw error.code === 'ENOENT' ? new GiveUp(`there is no document ${name}`) : error;
  });
}

/** Readers see the old file or the new one, never half of one, also when we are killed in the middle. */
export async function writeOutput(path, text) {
  const file = join('output', path);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.${process.pid}`, text);
  await rename(`${file}.${process.pid}`, file);
}

// The example fleet's agents do their real work against a real installation: through the death of one of them, and
// through the death of the server.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Installation, startInstallation } from '../support/installation.ts';
import { type Crew, HARBOUR, musterCrew } from './harbour-crew.ts';

const JOBS = 1_000;
const PATIENCE = { timeout: 180_000, interval: 100 };

let installation: Installation;

beforeAll(async () => {
  // Without the host role: here the test itself starts the agents, and kills them.
  installation = await startInstallation({ args: ['--only', 'api,engine'] });
});
afterAll(() => installation?.stop());

function crewOf(documents: 'shipped' | 'none'): Crew {
  const crew = musterCrew(installation, { documents });
  onTestFinished(() => crew.stop());
  return crew;
}

interface Job {
  readonly id: string;
  readonly state: string;
  readonly agent: string;
  readonly attempt: number;
}

async function all<T>(crew: Crew, path: string): Promise<T[]> {
  const items: T[] = [];
  for (let after = ''; ; ) {
    const page = await crew.ask('GET', `${path}&limit=500${after}`);
    items.push(...page.items);
    if (page.next_cursor === null || page.items.length === 0) return items;
    after = `&after=${encodeURIComponent(page.next_cursor)}`;
  }
}

describe('a Python and a Node agent on one queue', () => {
  it('work through 1,000 documents; one is killed, and the other finishes its jobs, once', {
    timeout: 420_000,
  }, async () => {
    const crew = crewOf('none');
    const documents = writeDocuments(join(crew.dir, 'documents'));
    const added = await crew.ask('POST', '/v1/jobs', {
      jobs: documents.map(({ document }) => ({ kind: 'count-document', queue: 'documents', payload: { document } })),
    });
    const ids: string[] = added.jobs.map(({ id }: Job) => id);
    const librarian = await crew.start('librarian', ['python3', 'agents/librarian.py']);
    await crew.start('clerk', [process.execPath, 'agents/clerk.mjs']);
    const outputs = () => readdirSync(join(crew.dir, 'output', 'counts')).filter((name) => name.endsWith('.json'));
    await vi.waitFor(() => expect(outputs().length).toBeGreaterThan(JOBS / 4), PATIENCE);

    const inHand = await killWithJobsInHand(crew, librarian.process);
    expect(outputs().length).toBeLessThan(JOBS);
    // One list of what is done: two looks, at what runs and at what waits, could each miss a job on its way between them.
    const done = await vi.waitFor(async () => {
      const jobs = await all<Job>(crew, '/v1/jobs?queue=documents&state=done');
      expect(jobs.length).toBeGreaterThanOrEqual(JOBS);
      return jobs;
    }, PATIENCE);
    expect(done.map(({ id }) => id).sort()).toEqual([...ids].sort());
    expect(new Set(done.map(({ agent }) => agent))).toEqual(new Set(['clerk', 'librarian']));
    const losses = await all<{ payload: { jobs: Job[] } }>(crew, '/v1/events?event_type=work.job.lost');
    const lost = losses.flatMap(({ payload }) => payload.jobs.map(({ id }) => id));
    expect(lost.length).toBeGreaterThan(0);
    expect(inHand).toEqual(expect.arrayContaining(lost));
    const again = done.filter(({ attempt }) => attempt !== 1);
    expect(again.map(({ id }) => id).sort()).toEqual(lost.sort());
    for (const job of again) expect(job).toMatchObject({ agent: 'clerk', attempt: 2 });

    const findings = await all<{ subject: string; payload: unknown }>(crew, '/v1/events?event_type=document.counted');
    expect(findings.map(({ subject }) => subject).sort()).toEqual(ids.map((id) => `job:${id}`).sort());
    const completed = await all<{ payload: { jobs: Job[] } }>(crew, '/v1/events?event_type=work.job.completed');
    expect(completed.flatMap(({ payload }) => payload.jobs.map(({ id }) => id)).sort()).toEqual([...ids].sort());

    expect(outputs().length).toBe(JOBS);
    for (const [index, reference] of documents.entries()) {
      const counted = JSON.parse(
        readFileSync(join(crew.dir, 'output', 'counts', `${reference.document}.json`), 'utf8'),
      );
      expect(counted).toEqual(reference);
      // One request each: a look at some of them is enough.
      if (index % 25 === 0) expect((await crew.ask('GET', `/v1/jobs/${ids[index]}`)).result).toEqual(reference);
    }
  });

  it('outlast a server that is killed, and leave when they are told to', async () => {
    const crew = crewOf('shipped');
    const members = [
      await crew.start('librarian-2', ['python3', 'agents/librarian.py']),
      await crew.start('clerk-2', [process.execPath, 'agents/clerk.mjs']),
    ];
    await vi.waitFor(() => {
      for (const { printed } of members) expect(printed()).toContain('works on documents');
    }, PATIENCE);
    const api = (await installation.processes()).find(({ name }) => name === 'api')!;
    process.kill(api.pid, 'SIGKILL');
    const added = await vi.waitFor(
      () =>
        crew.ask('POST', '/v1/jobs', {
          jobs: [{ kind: 'count-document', queue: 'documents', payload: { document: 'tides.md' } }],
        }),
      PATIENCE,
    );
    await vi.waitFor(
      async () => expect(await crew.ask('GET', `/v1/jobs/${added.jobs[0].id}`)).toMatchObject({ state: 'done' }),
      PATIENCE,
    );
    for (const member of members) {
      expect(member.process.exitCode, member.printed()).toBe(null);
      expect(await member.end('SIGTERM'), member.printed()).toBe(0);
      expect(member.printed()).toContain('leaves');
    }
  });
});

describe('the builder and the inspector', () => {
  it('turn the documents into a site and report its one broken link', async () => {
    const crew = crewOf('shipped');
    const documents = readdirSync(join(HARBOUR, 'documents'));
    await crew.ask('POST', '/v1/jobs', {
      jobs: [
        ...documents.map((document) => ({ kind: 'render-page', queue: 'pages', payload: { document, check: true } })),
        { kind: 'render-index', queue: 'pages', payload: {} },
      ],
    });
    await crew.start('builder', [process.execPath, 'agents/builder.mjs']);
    await crew.start('inspector', ['python3', 'agents/inspector.py']);
    await vi.waitFor(
      async () => expect(await all<Job>(crew, '/v1/jobs?queue=links&state=done')).toHaveLength(documents.length),
      PATIENCE,
    );
    await vi.waitFor(
      async () => expect(await all<Job>(crew, '/v1/jobs?queue=pages&state=done')).toHaveLength(documents.length + 1),
      PATIENCE,
    );
    const broken = await all<{ payload: unknown }>(crew, '/v1/events?event_type=page.links_broken');
    expect(broken.map(({ payload }) => payload)).toEqual([
      { page: 'fog-signals.html', broken: [{ link: 'lightship.html', reason: 'no such page: lightship.html' }] },
    ]);
    const pages = readdirSync(join(crew.dir, 'output', 'site'));
    expect(pages.sort()).toEqual([...documents.map((name) => name.replace('.md', '.html')), 'index.html'].sort());
  });

  it('a job that names no document of the shelf ends at once, with the reason', async () => {
    const crew = crewOf('shipped');
    await crew.start('builder-2', [process.execPath, 'agents/builder.mjs']);
    const { jobs } = await crew.ask('POST', '/v1/jobs', {
      jobs: ['../agents/shelf.mjs', 'nothing.md'].map((document) => ({
        kind: 'render-page',
        queue: 'pages',
        payload: { document },
      })),
    });
    await vi.waitFor(async () => {
      const [path, missing] = await Promise.all(jobs.map(({ id }: Job) => crew.ask('GET', `/v1/jobs/${id}`)));
      expect(path).toMatchObject({ state: 'dead', error: '"../agents/shelf.mjs" is not the name of a document' });
      expect(missing).toMatchObject({ state: 'dead', error: 'there is no document nothing.md' });
    }, PATIENCE);
  });
});

// Stopped first, so that what it holds at its death is known: between a look and the kill it could have finished. One
// outcome may still be on its way to the server, so it has to hold two jobs at least.
async function killWithJobsInHand(crew: Crew, agent: { kill(signal: NodeJS.Signals): boolean }): Promise<string[]> {
  return vi.waitFor(async () => {
    agent.kill('SIGSTOP');
    const running = await all<Job>(crew, '/v1/jobs?state=running&agent=librarian');
    if (running.length < 2) {
      agent.kill('SIGCONT');
      throw new Error('it holds too little at this moment');
    }
    agent.kill('SIGKILL');
    return running.map(({ id }) => id);
  }, PATIENCE);
}

interface Reference {
  readonly document: string;
  readonly lines: number;
  readonly headings: number;
  readonly links: number;
  readonly words: number;
  readonly frequent: readonly string[];
}

/** Documents made of the shipped ones' paragraphs, each another choice of them, and what must be counted in each. */
function writeDocuments(directory: string): Reference[] {
  const paragraphs = readdirSync(join(HARBOUR, 'documents'))
    .sort()
    .flatMap((name) =>
      readFileSync(join(HARBOUR, 'documents', name), 'utf8')
        .trim()
        .split('\n\n'),
    );
  return Array.from({ length: JOBS }, (_, n) => {
    const document = `log-${String(n).padStart(4, '0')}.md`;
    const chosen = paragraphs.filter((_, place) => (place * 7 + n) % (5 + (n % 11)) === 0);
    const text = [`# Log ${n}, Malmö and Ærø`, ...chosen].map((paragraph) => `${paragraph}\n`).join('\n');
    writeFileSync(join(directory, document), text);
    return { document, ...referenceOf(text) };
  });
}

// Written another way than the agents do it, on purpose.
function referenceOf(text: string): Omit<Reference, 'document'> {
  const rows = text.split('\n').slice(0, -1);
  const words = text
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter((word) => word !== '');
  const times = Map.groupBy(
    words.filter((word) => word.length > 3),
    (word) => word,
  );
  const byFrequency = [...times.keys()].sort().sort((a, b) => times.get(b)!.length - times.get(a)!.length);
  return {
    lines: rows.length,
    headings: rows.filter((row) => row.startsWith('#') && row.replace(/^#+/, '').startsWith(' ')).length,
    links: text.split('](').length - 1,
    words: words.length,
    frequent: byFrequency.slice(0, 5),
  };
}

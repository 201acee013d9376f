import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createTcpServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openHookMachine } from '../../../test/support/hooks.ts';
import { listenerPort } from '../../../test/support/listener.ts';
import { Spool } from './spool.ts';
import { forgetOldBoxes } from './state.ts';

const TOKEN = `qd_agent_${'A'.repeat(32)}_0000000`;

async function listen(server: Server): Promise<{ url: string; asked: () => number }> {
  let asked = 0;
  server.on('connection', () => asked++);
  const port = await listenerPort(server);
  onTestFinished(() => {
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, asked: () => asked };
}

const eventOf = (n: number) => ({ id: `hook:${n}`, event_type: 'git.commit', payload: { n } });

const moods: Record<string, () => Server> = {
  'takes the connection and never answers': () => createTcpServer((socket) => socket.on('error', () => undefined)),
  'answers 500': () => createServer((_, response) => response.writeHead(500).end('{}')),
  'says that the token is revoked': () =>
    createServer((_, response) => response.writeHead(401).end('{"code":"unauthenticated","detail":"revoked"}')),
};

describe('a commit', () => {
  it.each(Object.keys(moods))('is made while the server %s, and its event is kept', async (mood) => {
    const server = await listen(moods[mood]!());
    const machine = openHookMachine({ url: server.url, token: TOKEN });
    const repo = machine.repository('shop');
    await machine.hook('install', 'git', '--repo', repo);
    for (const subject of ['one', 'two', 'three']) {
      await machine.git(repo, 'commit', '--quiet', '--allow-empty', '-m', subject);
    }
    await vi.waitFor(() => {
      const subjects = machine.waiting().map(({ payload }) => payload['subject']);
      expect(subjects.sort()).toEqual(['one', 'three', 'two']);
      expect(server.asked()).toBeGreaterThan(0);
    }, 15_000);
  });

  it('is not held up by what its hook left running, and neither is whoever reads its output', async () => {
    const server = await listen(moods['takes the connection and never answers']!());
    const machine = openHookMachine({ url: server.url, token: TOKEN });
    const repo = machine.repository('shop');
    await machine.hook('install', 'git', '--repo', repo);
    const commit = spawn('git', ['commit', '--allow-empty', '-m', 'one'], { cwd: repo, env: machine.env });
    // `close` comes when nobody has the pipes open any more: the reporter, which still waits for its answer, has not.
    const [code] = (await once(commit, 'close')) as [number];
    expect(code).toBe(0);
    await vi.waitFor(() => expect(server.asked()).toBe(1), 15_000);
  });
});

describe('what hooks keep', () => {
  it('for a credential that nobody came back with for a week is forgotten', () => {
    const machine = openHookMachine({ url: 'http://127.0.0.1:9', token: TOKEN });
    const boxes = join(machine.state, 'boxes');
    for (const name of ['env-old', 'env-new', '0123456789abcdef']) new Spool(join(boxes, name)).put(eventOf(1));
    const now = Date.now();
    for (const name of ['env-old', '0123456789abcdef'])
      utimesSync(join(boxes, name), now / 1000, now / 1000 - 8 * 86_400);
    forgetOldBoxes(machine.state, now);
    expect(readdirSync(boxes).sort()).toEqual(['0123456789abcdef', 'env-new']);
  });

  it('is for the account alone, and no token of the surroundings is written down', async () => {
    const machine = openHookMachine({ url: 'http://127.0.0.1:9', token: TOKEN });
    const repo = machine.repository('shop');
    await machine.hook('install', 'git', '--repo', repo);
    const own = `qd_agent_${'B'.repeat(32)}_0000000`;
    await new Promise((resolve) => {
      const env = { ...machine.env, QUARTERDECK_URL: 'http://127.0.0.1:9', QUARTERDECK_TOKEN: own };
      spawn('git', ['commit', '--quiet', '--allow-empty', '-m', `leaks ${own}`], { cwd: repo, env }).on(
        'close',
        resolve,
      );
    });
    await vi.waitFor(
      () => expect(readdirSync(join(machine.state, 'boxes'))).toEqual([expect.stringMatching(/^env-/)]),
      15_000,
    );
    await vi.waitFor(() => expect(machine.waiting()).toHaveLength(1), 15_000);
    const files = readdirSync(machine.state, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('cache'))
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      if (!existsSync(file)) continue;
      expect([file, statSync(file).mode & 0o077]).toEqual([file, 0]);
      expect(readFileSync(file, 'utf8')).not.toContain(own);
    }
    const inRepository = readdirSync(join(repo, '.git'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.parentPath.includes('objects'))
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'));
    expect(inRepository.join()).not.toContain(TOKEN);
  });

  it('has an end: beyond it events are dropped, and counted', () => {
    const machine = openHookMachine({ url: 'http://127.0.0.1:9', token: TOKEN });
    const spool = new Spool(join(machine.dir, 'box'), 2);
    expect([1, 2, 3, 4].map((n) => spool.put(eventOf(n)))).toEqual([true, true, false, false]);
    expect([spool.waiting, spool.dropped]).toEqual([2, 2]);
    const large = { ...eventOf(5), payload: { text: 'x'.repeat(20_000) } };
    expect(new Spool(join(machine.dir, 'other')).put(large)).toBe(false);
  });

  it('keeps what could not be taken over', async () => {
    const machine = openHookMachine({ url: 'http://127.0.0.1:9', token: TOKEN });
    const spool = new Spool(join(machine.dir, 'box'));
    for (const n of [1, 2]) spool.put(eventOf(n));
    await expect(spool.take(() => Promise.reject(new Error('disk full')))).rejects.toThrow('disk full');
    const taken: string[] = [];
    await spool.take(async ({ id }) => {
      taken.push(id);
    });
    expect(taken.sort()).toEqual(['hook:1', 'hook:2']);
    expect(spool.waiting).toBe(0);
  });
});

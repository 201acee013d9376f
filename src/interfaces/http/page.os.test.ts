import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify, { type FastifyInstance } from 'fastify';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { addSecurityHeaders } from './headers.ts';
import { servePage } from './page.ts';

let dir: string;
let webDir: string;
let server: FastifyInstance;
let port: number;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'qd-page-'));
  webDir = join(dir, 'dist');
  server = fastify();
  addSecurityHeaders(server, false);
  await servePage(server, webDir, []);
  port = Number(new URL(await server.listen({ host: '127.0.0.1', port: 0 })).port);
});
afterEach(async () => {
  await server.close();
  rmSync(dir, { recursive: true, force: true });
});

it('a page that is built while the server runs is served, and so is the next one', async () => {
  expect((await get('/', 'text/html')).status).toBe(404);
  build({ 'index.html': 'first', 'assets/index-AAAA.js': 'one', 'theme.js': 'dark' });
  expect(await get('/agents/pricer', 'text/html')).toMatchObject({ status: 200, text: 'first' });
  expect(await get('/assets/index-AAAA.js')).toMatchObject({ status: 200, text: 'one' });
  build({ 'index.html': 'second', 'assets/index-BBBB.js': 'two', 'theme.js': 'light', 'fresh.svg': '<svg/>' });
  expect(await get('/', 'text/html')).toMatchObject({ status: 200, text: 'second' });
  expect(await get('/assets/index-BBBB.js')).toMatchObject({ status: 200, text: 'two' });
  expect(await get('/assets/index-AAAA.js')).toMatchObject({ status: 404 });
  expect(await get('/theme.js')).toMatchObject({ status: 200, text: 'light' });
  expect(await get('/fresh.svg')).toMatchObject({ status: 200, text: '<svg/>' });
});

it('a file with a hash in its name is kept for good, any other is asked for again', async () => {
  build({ 'index.html': '<p nonce="__QD_NONCE__">', 'assets/index-AAAA.js': 'one', 'theme.js': 'dark' });
  const asset = await get('/assets/index-AAAA.js');
  expect(asset.headers).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-type': 'application/javascript; charset=utf-8',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  });
  expect((await get('/theme.js')).headers['cache-control']).toBe('no-cache');
  const page = await get('/', 'text/html');
  const nonce = /nonce="([\w+/=]{24})"/.exec(page.text)?.[1];
  expect(page.headers['cache-control']).toBe('no-store');
  expect(page.headers['content-security-policy']).toContain(`'nonce-${nonce}'`);
  expect((await get('/', 'text/html')).text).not.toBe(page.text);
  expect(await get('/assets/index-AAAA.js', '*/*', 'HEAD')).toMatchObject({
    status: 200,
    text: '',
    headers: { 'content-length': '3' },
  });
  const unchanged = await get('/theme.js', '*/*', 'GET', {
    'if-none-match': (await get('/theme.js')).headers['etag']!,
  });
  expect(unchanged.status).toBe(304);
});

it.each([
  '/../secret.txt',
  '/assets/../../secret.txt',
  '/assets/../.quarterdeck',
  '/%2e%2e/secret.txt',
  '/..%2fsecret.txt',
  '/assets/..%2f..%2fsecret.txt',
  '/assets/%2e%2e%2f%2e%2e%2fsecret.txt',
  '/assets/..%5c..%5csecret.txt',
  '/assets/%252e%252e%252fsecret.txt',
  '/assets//../../secret.txt',
  '/assets/..;/..;/secret.txt',
  '/assets/index-AAAA.js%00.txt',
  '/assets/',
  '/assets',
  '/assets/.',
  '/assets/deep/inner.js',
  '/.quarterdeck',
  '/%2equarterdeck',
  '/index.html',
  '/assets/..%2findex.html',
  '/linked.txt',
  '/assets/linked.js',
  '/outside/secret.txt',
  '/assets/outside.d/secret.txt',
])('nothing beyond the files of the page is served: %s', async (path) => {
  writeFileSync(join(dir, 'secret.txt'), 'secret');
  build({
    'index.html': 'page __QD_NONCE__',
    'assets/index-AAAA.js': 'one',
    'assets/deep/inner.js': 'deep',
    '.quarterdeck': 'secret',
  });
  symlinkSync(join(dir, 'secret.txt'), join(webDir, 'linked.txt'));
  symlinkSync('../../secret.txt', join(webDir, 'assets/linked.js'));
  symlinkSync(dir, join(webDir, 'outside'));
  symlinkSync(dir, join(webDir, 'assets/outside.d'));
  const answer = await get(path);
  expect(answer.status).toBeGreaterThanOrEqual(400);
  expect(answer.status).toBeLessThan(500);
  expect(answer.text).not.toMatch(/^(secret|one|deep|page)/);
});

it('an index that leads elsewhere is no page', async () => {
  writeFileSync(join(dir, 'secret.txt'), 'secret');
  build({});
  symlinkSync(join(dir, 'secret.txt'), join(webDir, 'index.html'));
  expect((await get('/', 'text/html')).status).toBe(404);
});

it('a directory of the page that is a link itself is served', async () => {
  build({ 'index.html': 'page', 'assets/index-AAAA.js': 'one' });
  renameSync(webDir, join(dir, 'elsewhere'));
  symlinkSync(join(dir, 'elsewhere'), webDir);
  expect(await get('/', 'text/html')).toMatchObject({ status: 200, text: 'page' });
  expect(await get('/assets/index-AAAA.js')).toMatchObject({ status: 200, text: 'one' });
});

// As bin does it: made beside, then renamed into place.
function build(files: Readonly<Record<string, string>>): void {
  const made = join(dir, 'made');
  mkdirSync(join(made, 'assets/deep'), { recursive: true });
  for (const [path, text] of Object.entries(files)) writeFileSync(join(made, path), text);
  rmSync(webDir, { recursive: true, force: true });
  renameSync(made, webDir);
}

interface PageAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

// fetch would resolve the dots before it asks.
function get(path: string, accept = '*/*', method = 'GET', headers: Record<string, string> = {}): Promise<PageAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, path, method, headers: { accept, ...headers }, agent: false });
    sent.on('error', reject);
    sent.on('response', (answer) => {
      const chunks: Buffer[] = [];
      answer.on('error', reject);
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () =>
        resolve({
          status: answer.statusCode ?? 0,
          headers: answer.headers as Record<string, string>,
          text: Buffer.concat(chunks).toString(),
        }),
      );
    });
    sent.end();
  });
}

// Serves the control center: hashed assets for good, index.html with a fresh nonce for every address of the page. Files are
// looked for when they are asked for, so a page that was built anew is served without a restart.
import { randomBytes } from 'node:crypto';
import { readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BoundOperation } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { contentSecurityPolicy } from './headers.ts';
import { requestIdOf, sendProblem } from './problem.ts';

const INDEX = 'index.html';
const NONCE = /__QD_NONCE__/g;
/** `theme-1.js`: neither a path nor a hidden file nor a way up can be written so. */
const FILE_NAME = /^[\w-]+(\.[\w-]+)+$/;

export async function servePage(
  server: FastifyInstance,
  webDir: string,
  operations: readonly BoundOperation[],
): Promise<void> {
  await server.register(fastifyStatic, {
    root: webDir,
    serve: false,
    index: false,
    suppressWarning: true,
    // Everything below /assets has a hash in its name.
    setHeaders: (reply, path) => {
      const isHashed = path.startsWith(join(webDir, 'assets/'));
      reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
  });
  const sendFile = async (directory: '' | 'assets/', name: string, reply: FastifyReply) => {
    const path = `${directory}${name}`;
    const isServed = FILE_NAME.test(name) && path !== INDEX && (await isOwnFile(webDir, path));
    return isServed ? reply.sendFile(path) : reply.callNotFound();
  };
  server.get<{ Params: { name: string } }>('/:name', ({ params }, reply) => sendFile('', params.name, reply));
  server.get<{ Params: { name: string } }>('/assets/:name', ({ params }, reply) =>
    sendFile('assets/', params.name, reply),
  );
  server.setNotFoundHandler(async (request: FastifyRequest, reply: FastifyReply) => {
    const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    const isApi = request.url.startsWith('/v1') || request.url.startsWith('/assets/');
    const index = wantsPage && !isApi ? await readIndex(webDir) : undefined;
    if (index === undefined) {
      const allowed = methodsAt(operations, request.url);
      if (allowed.length > 0) reply.header('allow', allowed.join(', '));
      const { method } = request;
      const error = allowed.length > 0 ? platformErrors.method_not_allowed({ method }) : platformErrors.not_found();
      return sendProblem(reply, error, requestIdOf(request));
    }
    const nonce = randomBytes(16).toString('base64');
    return reply
      .header('content-security-policy', contentSecurityPolicy(nonce))
      .type('text/html; charset=utf-8')
      .send(index.replace(NONCE, nonce));
  });
}

// There, and reached by no link that could lead out of the directory. The directory itself may be a link.
async function isOwnFile(webDir: string, path: string): Promise<boolean> {
  try {
    return (await realpath(join(webDir, path))) === join(await realpath(webDir), path);
  } catch {
    return false;
  }
}

async function readIndex(webDir: string): Promise<string | undefined> {
  if (!(await isOwnFile(webDir, INDEX))) return undefined;
  return readFile(join(webDir, INDEX), 'utf8').catch(() => undefined);
}

// The methods with which an operation can be asked at this address.
function methodsAt(operations: readonly BoundOperation[], url: string): string[] {
  const segments = url.split('?', 1)[0]!.split('/');
  const isAt = (path: string) => {
    const wanted = path.split('/');
    return (
      wanted.length === segments.length &&
      wanted.every((part, i) => (part.startsWith('{') ? segments[i] !== '' : part === segments[i]))
    );
  };
  const here = operations.map(({ operation }) => operation).filter(({ path }) => isAt(path));
  // A path of its own is not also somebody's id.
  const exact = here.filter(({ path }) => path === segments.join('/'));
  return (exact.length > 0 ? exact : here).map(({ method }) => method);
}

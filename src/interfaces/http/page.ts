// Serves the control center: hashed assets for good, index.html with a fresh nonce for every address of the page.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { BoundOperation } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { contentSecurityPolicy } from './headers.ts';
import { requestIdOf, sendProblem } from './problem.ts';

const NONCE = /__QD_NONCE__/g;

export async function servePage(
  server: FastifyInstance,
  webDir: string,
  operations: readonly BoundOperation[],
): Promise<void> {
  if (existsSync(webDir)) {
    await server.register(fastifyStatic, {
      root: webDir,
      index: false,
      wildcard: false,
      globIgnore: ['index.html'],
      // Everything below /assets has a hash in its name.
      setHeaders: (reply, path) => {
        const isHashed = path.includes('/assets/');
        reply.header('cache-control', isHashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
  }
  const index = await readFile(join(webDir, 'index.html'), 'utf8').catch(() => undefined);
  server.setNotFoundHandler(async (request: FastifyRequest, reply: FastifyReply) => {
    const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    const isApi = request.url.startsWith('/v1') || request.url.startsWith('/assets/');
    if (index === undefined || !wantsPage || isApi) {
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
  return operations
    .map(({ operation }) => operation)
    .filter(({ path }) => isAt(path))
    .map(({ method }) => method);
}

// Serves the control center: hashed assets for good, index.html with a fresh nonce for every address of the page.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { platformErrors } from '../../platform/platform-errors.ts';
import { contentSecurityPolicy } from './headers.ts';
import { checkHost, type OriginRules } from './origin.ts';
import { requestIdOf, sendProblem } from './problem.ts';

const NONCE = /__QD_NONCE__/g;

export async function servePage(server: FastifyInstance, webDir: string, origins: OriginRules): Promise<void> {
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
    checkHost(request.raw, origins);
    const wantsPage = request.method === 'GET' && (request.headers.accept ?? '').includes('text/html');
    const isApi = request.url.startsWith('/v1') || request.url.startsWith('/assets/');
    if (index === undefined || !wantsPage || isApi) {
      return sendProblem(reply, platformErrors.not_found(), requestIdOf(request));
    }
    const nonce = randomBytes(16).toString('base64');
    return reply
      .header('content-security-policy', contentSecurityPolicy(nonce))
      .type('text/html; charset=utf-8')
      .send(index.replace(NONCE, nonce));
  });
}

// Headers on every answer. The page loads nothing from elsewhere and runs no inline script, so the policy can be strict.
import type { FastifyInstance } from 'fastify';

/** `nonce` is for the styles that dialogs add while they are open (ground for it: docs/decisions). */
export function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "font-src 'self'",
    "img-src 'self' data:",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ].join('; ');
}

const API_POLICY = "default-src 'none'; frame-ancestors 'none'";

export function addSecurityHeaders(server: FastifyInstance, secure: boolean): void {
  server.addHook('onRequest', async (request, reply) => {
    reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'permissions-policy': 'camera=(), microphone=(), geolocation=()',
      'content-security-policy': API_POLICY,
      'cache-control': 'no-store',
    });
    if (secure) reply.header('strict-transport-security', 'max-age=63072000; includeSubDomains; preload');
  });
}

// Who asks: bearer token, else session cookie. Identity comes from the credential alone. Used by routes and by the
// upgrade to WebSocket, which Fastify does not see.
import type { IncomingMessage } from 'node:http';
import type { App } from '../../app.ts';
import { anonymousCaller } from '../../domains/access/index.ts';
import type { Caller } from '../../platform/call.ts';
import { isAppError } from '../../platform/errors.ts';
import type { AnyOperation } from '../../platform/operation.ts';
import { platformErrors } from '../../platform/platform-errors.ts';
import { checkHost, checkOrigin, type OriginRules } from './origin.ts';
import type { RateLimit } from './rate-limit.ts';
import { sessionSecret } from './session-cookie.ts';

export interface GateOptions {
  readonly app: App;
  readonly origins: OriginRules;
  readonly limits: RateLimit;
}

const FAILURES_PER_MINUTE = 120;

export class Gate {
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
  }

  /** True when the page is reached by https, so that cookies are marked for it. */
  get isSecure(): boolean {
    return this.#options.origins.publicUrl?.startsWith('https:') ?? false;
  }

  /** The caller, if it may use the operation. Throws `bad_host`, `cross_origin`, `unauthenticated`, `denied`… */
  async admit(operation: AnyOperation, request: IncomingMessage, isUpgrade = false): Promise<Caller> {
    checkHost(request, this.#options.origins);
    const bearer = bearerToken(request);
    const session = bearer === undefined ? sessionSecret(request, this.isSecure) : undefined;
    checkOrigin(request, session !== undefined, isUpgrade);
    if (operation.perMinute !== undefined) {
      this.#options.limits.use(`${operation.name} ${request.socket.remoteAddress}`, operation.perMinute);
    }
    const secret = bearer ?? session;
    if (operation.ability === 'public') return anonymousCaller;
    if (secret === undefined) throw platformErrors.unauthenticated();
    const caller = await this.#identify(secret, request);
    if (operation.ability !== 'any' && !caller.abilities.has(operation.ability)) {
      throw platformErrors.denied({ ability: operation.ability });
    }
    return caller;
  }

  /** The caller of a bearer token, whatever it may do; a cookie counts for nothing here. */
  async admitBearer(request: IncomingMessage): Promise<Caller> {
    checkHost(request, this.#options.origins);
    checkOrigin(request, false);
    const bearer = bearerToken(request);
    if (bearer === undefined) throw platformErrors.unauthenticated();
    return this.#identify(bearer, request);
  }

  /** Counts one use by a credential. Throws `rate_limited`. */
  limit(what: string, caller: Caller, perMinute: number): void {
    this.#options.limits.use(`${what} ${caller.credential?.id}`, perMinute);
  }

  async #identify(secret: string, request: IncomingMessage): Promise<Caller> {
    try {
      return await this.#options.app.access.credentials.getCaller(secret);
    } catch (error) {
      if (isAppError(error) && error.status === 401) {
        this.#options.limits.use(`failed ${request.socket.remoteAddress}`, FAILURES_PER_MINUTE);
      }
      throw error;
    }
  }
}

function bearerToken(request: IncomingMessage): string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  const match = /^Bearer ([\x21-\x7e]{1,200})$/i.exec(authorization);
  if (match === null) throw platformErrors.unauthenticated();
  return match[1];
}

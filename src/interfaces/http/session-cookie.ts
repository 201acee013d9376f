// The session cookie: plain-named on loopback http, `__Host-` on https. Cookies ignore ports, so the name alone is no
// proof of anything: the Origin check is.
import type { IncomingMessage } from 'node:http';

const PLAIN = 'qd_session';
const SECURE = '__Host-qd_session';

export function sessionSecret(request: IncomingMessage, secure: boolean): string | undefined {
  const wanted = secure ? SECURE : PLAIN;
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [name, value] = part.trim().split('=', 2);
    if (name === wanted) return value;
  }
  return undefined;
}

/** `expires` undefined: the cookie is taken back. */
export function sessionCookie(secret: string, expires: Date | undefined, secure: boolean): string {
  const name = secure ? SECURE : PLAIN;
  const until = (expires ?? new Date(0)).toUTCString();
  return `${name}=${secret}; Path=/; Expires=${until}; HttpOnly; SameSite=Strict${secure ? '; Secure' : ''}`;
}

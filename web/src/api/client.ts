// Calls an operation of the server: path parameters, query and body are taken from one input, errors become a Problem.
import { Problem, problemOf, unreachable } from './problem.ts';
import type { Route } from './routes.ts';

export async function call<I, O>(route: Route<I, O>, input: I, signal?: AbortSignal): Promise<O> {
  const { url, body } = requestOf(route, input as Record<string, unknown>);
  const headers: Record<string, string> = { accept: 'application/json' };
  if (body !== undefined) headers['content-type'] = 'application/json';
  if (route.method === 'POST') headers['idempotency-key'] = randomKey();
  const response = await send(url, {
    method: route.method,
    headers,
    credentials: 'same-origin',
    cache: 'no-store',
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  });
  if (!response.ok) throw await problemOf(response);
  return (await response.json()) as O;
}

/** Where an input goes: parameters in the path, the rest into the query of GET and DELETE or the body of the others. */
export function requestOf(
  route: { readonly method: string; readonly path: string },
  input: Readonly<Record<string, unknown>>,
): { url: string; body: string | undefined } {
  const rest = { ...input };
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = rest[name];
    delete rest[name];
    return encodeURIComponent(String(value));
  });
  const given = Object.entries(rest).filter(([, value]) => value !== undefined);
  if (route.method === 'GET' || route.method === 'DELETE') {
    const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
    return { url: query === '' ? path : `${path}?${query}`, body: undefined };
  }
  return { url: path, body: JSON.stringify(Object.fromEntries(given)) };
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw error instanceof Problem ? error : unreachable();
  }
}

// `crypto.randomUUID` exists only in secure contexts; a loopback name of one's own is none.
function randomKey(): string {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

import { describe, expect, it } from 'vitest';
import { errorOf } from './errors.ts';
import { allItems } from './pages.ts';
import { requestOf } from './wire.ts';

describe('a request', () => {
  it('has parameters in the address, escaped, and the rest as query or body', () => {
    const path = '/v1/agents/{agent}/pause';
    expect(requestOf({ method: 'PUT', path }, { agent: 'a/b@c', reason: 'x', more: undefined })).toEqual({
      path: '/v1/agents/a%2Fb%40c/pause',
      body: '{"reason":"x"}',
    });
    expect(requestOf({ method: 'DELETE', path }, { agent: 'pricer' })).toEqual({
      path: '/v1/agents/pricer/pause',
      body: undefined,
    });
    expect(requestOf({ method: 'GET', path: '/v1/jobs' }, { state: 'done', limit: 5 }).path).toBe(
      '/v1/jobs?state=done&limit=5',
    );
  });

  it('is not made without what its address needs', () => {
    const wire = { method: 'GET', path: '/v1/jobs/{job}' } as const;
    expect(() => requestOf(wire, {})).toThrow('"job" must be a text');
    expect(() => requestOf(wire, { job: '' })).toThrow('"job" must be a text');
  });
});

describe('an error', () => {
  it('carries what the server said', () => {
    const body = {
      code: 'rate_limited',
      detail: 'Too many requests',
      hint: 'Wait.',
      retryable: true,
      request_id: 'req_1',
    };
    expect(errorOf(429, JSON.stringify(body))).toMatchObject({
      code: 'rate_limited',
      detail: 'Too many requests',
      hint: 'Wait.',
      retryable: true,
      status: 429,
      requestId: 'req_1',
    });
  });

  it('of something that is not Quarterdeck says so, and is tried again only where that may help', () => {
    expect(errorOf(502, '<html>Bad gateway</html>')).toMatchObject({
      code: 'sdk.bad_answer',
      status: 502,
      retryable: true,
    });
    expect(errorOf(500, '<html>oops</html>')).toMatchObject({ code: 'sdk.bad_answer', retryable: false });
    expect(errorOf(200, '<html>Sign in to the hotel</html>')).toMatchObject({
      code: 'sdk.bad_answer',
      retryable: false,
    });
    expect(errorOf(302, '')).toMatchObject({ code: 'sdk.bad_answer', retryable: false });
  });
});

describe('a list', () => {
  it('is read page after page, until there is none or a page is empty', async () => {
    const pages = new Map([
      [undefined, { items: [1, 2], next_cursor: 'a', as_of: '' }],
      ['a', { items: [3], next_cursor: 'b', as_of: '' }],
      ['b', { items: [], next_cursor: 'c', as_of: '' }],
    ]);
    const read: number[] = [];
    for await (const item of allItems(async ({ after }) => pages.get(after)!)) read.push(item);
    expect(read).toEqual([1, 2, 3]);
  });
});

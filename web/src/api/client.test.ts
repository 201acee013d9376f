import { describe, expect, it } from 'vitest';
import { requestOf } from './client.ts';

describe('a request', () => {
  it('takes path parameters out of the input and puts the rest of a GET into the query', () => {
    const route = { method: 'GET', path: '/v1/agents/{agent}/console' };
    expect(requestOf(route, { agent: 'pricer@acme', after: 10, wait: undefined })).toEqual({
      url: '/v1/agents/pricer%40acme/console?after=10',
      body: undefined,
    });
  });

  it('puts the rest of the others into the body', () => {
    const route = { method: 'PUT', path: '/v1/agents/{agent}/pause' };
    expect(requestOf(route, { agent: 'pricer', reason: 'odd' })).toEqual({
      url: '/v1/agents/pricer/pause',
      body: '{"reason":"odd"}',
    });
  });
});

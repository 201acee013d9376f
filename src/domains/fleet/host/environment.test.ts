import { expect, test } from 'vitest';
import { environmentOf, SecretMissing } from './environment.ts';

const options = {
  own: { PATH: '/bin', HOME: '/root', DATABASE_URL: 'postgres://u:p@h/d', EBAY_TOKEN: 'shh' },
  env: { COLOUR: 'blue', PYTHONUNBUFFERED: '' },
  secrets: ['EBAY_TOKEN'],
  agent: 'pricer',
  token: 'qd_agent_x',
  apiUrl: 'http://127.0.0.1:4600',
  relayUrl: undefined,
  marker: 'm',
};

test('a process gets the allow-list, what the manifest says and what the fleet gives, and nothing else', () => {
  expect(environmentOf(options)).toEqual({
    PATH: '/bin',
    HOME: '/root',
    PYTHONUNBUFFERED: '',
    COLOUR: 'blue',
    EBAY_TOKEN: 'shh',
    QUARTERDECK_URL: 'http://127.0.0.1:4600',
    QUARTERDECK_AGENT: 'pricer',
    QUARTERDECK_TOKEN: 'qd_agent_x',
    QD_RUN: 'm',
  });
  expect(environmentOf({ ...options, relayUrl: 'http://r' })).toMatchObject({ QUARTERDECK_RELAY_URL: 'http://r' });
});

test('a secret that the host does not have is named', () => {
  expect(() => environmentOf({ ...options, secrets: ['MISSING'] })).toThrow(SecretMissing);
});

// A small crew of real agents for a browser test, written to a directory of their own: a pilot that works through jobs
// and prints what they say, and a lookout that only says that it is there.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const AGENT = `
import { existsSync } from 'node:fs';
const { QUARTERDECK_URL, QUARTERDECK_AGENT, QUARTERDECK_TOKEN, HOLD } = process.env;
if (HOLD && existsSync(HOLD)) {
  console.log('not yet');
  process.exit(3);
}
const post = async (path, body) => {
  const headers = { authorization: 'Bearer ' + QUARTERDECK_TOKEN, 'content-type': 'application/json' };
  for (;;) {
    const response = await fetch(QUARTERDECK_URL + path, { method: 'POST', headers, body: JSON.stringify(body) }).catch(() => undefined);
    if (response?.ok) return response.json();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};
const beat = (status) => post('/v1/agents/' + QUARTERDECK_AGENT + '/beats', { status });
console.log(QUARTERDECK_AGENT + ' on deck');
`;

const PILOT = `${AGENT}
for (;;) {
  await beat('waiting for orders');
  const { jobs } = await post('/v1/jobs/claims', { queues: ['orders'], wait: 3 });
  for (const { id, lease, payload } of jobs) {
    console.log('order: ' + payload.say);
    await post('/v1/jobs/completions', { jobs: [{ id, lease, outcome: 'done', result: { said: payload.say } }] });
  }
}
`;

const LOOKOUT = `${AGENT}
for (;;) {
  await beat('looking out');
  await new Promise((resolve) => setTimeout(resolve, 1000));
}
`;

export interface Crew {
  /** The `quarterdeck.yaml` that declares it. */
  readonly config: string;
  /** While held back, the pilot ends as soon as it is started. */
  holdBack(): void;
  letStart(): void;
  remove(): void;
}

export function makeCrew(): Crew {
  const dir = mkdtempSync(join(tmpdir(), 'qd-crew-'));
  writeFileSync(join(dir, 'pilot.mjs'), PILOT);
  writeFileSync(join(dir, 'lookout.mjs'), LOOKOUT);
  const hold = join(dir, 'hold');
  return {
    config: JSON.stringify({
      agents: {
        pilot: { command: ['node', join(dir, 'pilot.mjs')], queues: ['orders'], env: { HOLD: hold } },
        lookout: { command: ['node', join(dir, 'lookout.mjs')], silence_limit: '60s' },
      },
    }),
    holdBack: () => writeFileSync(hold, ''),
    letStart: () => rmSync(hold, { force: true }),
    remove: () => rmSync(dir, { recursive: true, force: true }),
  };
}

// What an agent in plain Node needs of Quarterdeck: calls that outlast an absent server, and the loop that claims jobs,
// keeps their leases and reports their outcomes. No packages. quarterdeck_client.py is the same for Python.
import { setTimeout as delay } from 'node:timers/promises';

const { QUARTERDECK_URL, QUARTERDECK_AGENT, QUARTERDECK_TOKEN } = process.env;
if (!QUARTERDECK_URL || !QUARTERDECK_AGENT || !QUARTERDECK_TOKEN) {
  throw new Error(
    'QUARTERDECK_URL, QUARTERDECK_AGENT and QUARTERDECK_TOKEN are set by Quarterdeck when it starts an agent',
  );
}

const LEASE_SECONDS = Number(process.env.HARBOUR_LEASE_SECONDS ?? 30);
const WAIT_SECONDS = 20;
const BEAT_EVERY_MS = 5_000;
const LONGEST_PAUSE_MS = 30_000;
// How long a call goes on trying once the agent was told to leave.
const LAST_TRIES_MS = 5_000;

const leaving = new AbortController();
let leftAt = 0;
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    leftAt ||= Date.now();
    leaving.abort();
  });
}

export const isLeaving = () => leaving.signal.aborted;

/** Waits, but not beyond the moment at which the agent is told to leave. */
export const pause = (ms) => delay(ms, undefined, { signal: leaving.signal }).catch(() => undefined);

/** What the server refused; trying the same again would change nothing. */
export class Refused extends Error {
  constructor({ code, detail, status }) {
    super(`${code ?? status}: ${detail}`);
    this.code = code;
  }
}

/** Thrown by a handler when a second try cannot help: the job ends at once. */
export class GiveUp extends Error {}

/** The lease of this job ended and somebody else may have it: its handler stops here. */
class LeaseLost extends Error {}

/**
 * One request. While the server is away or busy it tries again, with growing pauses of which half is chance, so that a
 * whole fleet does not come back in the same moment.
 */
export async function call(method, path, body, { token = QUARTERDECK_TOKEN, key, signal } = {}) {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  if (key !== undefined) headers['idempotency-key'] = key;
  for (let tries = 0; ; tries++) {
    const answer = await fetch(QUARTERDECK_URL + path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([AbortSignal.timeout((WAIT_SECONDS + 15) * 1000), ...(signal ? [signal] : [])]),
    })
      .then(async (response) => ({ status: response.status, response, text: await response.text() }))
      .catch((error) => ({ status: 0, text: '', error }));
    if (answer.status >= 200 && answer.status < 300) return answer.text === '' ? undefined : JSON.parse(answer.text);
    const mayPass = answer.status === 0 || answer.status === 429 || answer.status >= 500;
    if (!mayPass) throw new Refused({ status: answer.status, detail: answer.text, ...problemOf(answer.text) });
    signal?.throwIfAborted();
    if (isLeaving() && Date.now() - leftAt > LAST_TRIES_MS) throw new Error('told to leave while the server is away');
    const asked = Number(answer.response?.headers.get('retry-after') ?? 0) * 1000;
    const most = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** Math.min(tries, 10));
    if (tries === 3) console.log(`the server does not answer (${answer.status || answer.error.message}); trying on`);
    const ms = Math.max(asked, most * (0.5 + Math.random() / 2));
    await (isLeaving() ? delay(ms / 5) : pause(ms));
  }
}

function problemOf(text) {
  try {
    return JSON.parse(text);
  } catch {
    return {};
  }
}

/** Adds jobs; with a `key`, adding them again answers what the first time added. */
export const enqueue = (jobs, options = {}) => call('POST', '/v1/jobs', { jobs }, options);

let lastBeat = 0;

/** Says that the agent is well and answers what is wanted of it: run, pause, drain or stop. At most every 5 seconds. */
export async function beat(status, job) {
  if (Date.now() - lastBeat < BEAT_EVERY_MS) return;
  lastBeat = Date.now();
  const said = { status, ...(job === undefined ? {} : { job }) };
  return (await call('POST', `/v1/agents/${QUARTERDECK_AGENT}/beats`, said)).desired;
}

/** Claims and works until told to leave. `handlers` has an async function for each kind; what it returns is the result. */
export async function work({ queues, handlers, atOnce = 1 }) {
  console.log(`${QUARTERDECK_AGENT} works on ${queues.join(', ')}`);
  while (!isLeaving()) {
    const desired = await beat('waiting for work');
    if (desired === 'drain' || desired === 'stop') break;
    // When it was too soon to say so, the wait is short: otherwise it would seem busy for all of a long one.
    const jobs = await claim(queues, atOnce, desired === undefined ? BEAT_EVERY_MS / 1000 : WAIT_SECONDS);
    const held = new Held(jobs);
    // What was claimed is finished also when told to leave: claim no more than takes a few seconds.
    for (const job of jobs) if (held.has(job)) await workOn(job, handlers[job.kind], held);
  }
  console.log(`${QUARTERDECK_AGENT} leaves`);
}

// A paused agent is answered too, with nothing, when the wait is over.
async function claim(queues, limit, wait) {
  const wanted = { queues, limit, wait, lease_seconds: LEASE_SECONDS };
  try {
    return (await call('POST', '/v1/jobs/claims', wanted, { signal: leaving.signal })).jobs;
  } catch (error) {
    if (isLeaving()) return [];
    throw error;
  }
}

async function workOn(job, handler, held) {
  await beat(`${job.kind}, attempt ${job.attempt}`, job.id);
  let outcome;
  try {
    await held.keep(job);
    if (handler === undefined) throw new GiveUp(`this agent knows no kind "${job.kind}"`);
    outcome = { outcome: 'done', result: await handler({ ...job, ...verbsOf(job), keep: () => held.keep(job) }) };
  } catch (error) {
    if (error instanceof LeaseLost) return console.log(`${job.id} was lost: ${error.message}`);
    console.log(`${job.id} (${job.kind}) failed: ${error.message}`);
    outcome = { outcome: 'failed', error: String(error.message), retry: !(error instanceof GiveUp) };
  }
  const { refused } = await call('POST', '/v1/jobs/completions', {
    jobs: [{ id: job.id, lease: job.lease, ...outcome }],
  });
  if (refused.length > 0) console.log(`${job.id}: the outcome was refused (${refused[0].code})`);
  held.forget(job);
}

// With the job's own token they are done in the name of its tenant, and only while the lease is valid. The ids come from
// the job, so that a second attempt files nothing twice; what the first one filed stays.
const verbsOf = ({ id, token }) => ({
  event: (event_type, payload) =>
    call(
      'POST',
      '/v1/events',
      { id: `${id}:${event_type}`, event_type, payload, subject: `job:${id}` },
      { token },
    ).catch((error) => {
      if (error.code !== 'log.event_id_reused') throw error;
    }),
  enqueue: (job) => enqueue([job], { token, key: `${id}:${job.kind}` }),
});

/** The jobs this process has leases of. One request renews all of them, sent by the work itself: who hangs loses them. */
class Held {
  constructor(jobs) {
    this.jobs = new Map(jobs.map((job) => [job.id, job]));
    this.renewedAt = Date.now();
  }

  has = ({ id }) => this.jobs.has(id);
  forget = ({ id }) => this.jobs.delete(id);

  /** Called between the steps of long work; throws when the lease of `job` is gone. */
  async keep(job) {
    if (Date.now() - this.renewedAt < (LEASE_SECONDS * 1000) / 4) return;
    this.renewedAt = Date.now();
    const jobs = [...this.jobs.values()].map(({ id, lease }) => ({ id, lease }));
    const { lost } = await call('POST', '/v1/jobs/renewals', { jobs, lease_seconds: LEASE_SECONDS });
    for (const gone of lost) this.jobs.delete(gone.id);
    if (!this.has(job)) throw new LeaseLost(lost.find(({ id }) => id === job.id)?.reason ?? 'its lease ended');
  }
}

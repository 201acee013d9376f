// Each operation once through each interface, on installations that are in the same state: the answers are the same, and
// so is what was written into the log.
import { tmpdir } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { agentsSection } from '../../src/domains/fleet/manifest.ts';
import { withoutSecrets } from '../../src/interfaces/mcp/answers.ts';
import { allOperations } from '../../src/operations.ts';
import type { AnyOperation } from '../../src/platform/operation.ts';
import { findPython } from '../sdk/python.ts';
import { openTestServer, type TestServer } from '../support/server.ts';
import { comparable } from './comparable.ts';
import { refusals, type Step, steps } from './steps.ts';
import { type Interface, overCli, overHttp, overMcp, overPython, overTypescript, type Said } from './ways-to-ask.ts';

interface Outcome {
  readonly said: Said;
  /** Type, source, subject and payload of each event. */
  readonly events: unknown;
}

/** One installation, on which all steps were carried out through one interface. */
interface Run {
  readonly has: (operation: AnyOperation) => boolean;
  readonly steps: ReadonlyMap<string, Outcome>;
  readonly refusals: readonly Outcome[];
}

function operationOf(step: Step): AnyOperation {
  return allOperations.find(({ name }) => name === step.operation)!;
}

async function runOn(open: (url: string) => Interface): Promise<Run> {
  const t = await openTestServer();
  const through = open(t.url);
  try {
    return await carryOut(t, through);
  } finally {
    await through.close();
    await t.close();
  }
}

async function carryOut(t: TestServer, through: Interface): Promise<Run> {
  const agents = agentsSection.parse({ pricer: { command: ['sleep', '600'] } });
  await t.app.fleet.applyAgents(t.app.systemCall(), agents, { baseDir: tmpdir() });
  const tokens = { operator: await t.operatorToken(), agent: await t.agentToken('worker'), nobody: '' };
  const http = overHttp(t.url);
  const past: Record<string, unknown> = {};
  const readLog = async (query: string) => {
    const { body } = await t.request('GET', `/v1/events?limit=500&${query}`, { token: tokens.operator });
    return body as { items: Record<string, unknown>[]; as_of: string };
  };
  let place = (await readLog('order=desc')).as_of;

  const ask = async (step: Step): Promise<Outcome> => {
    const operation = operationOf(step);
    const isThere = through.has(operation) && step.otherwise?.[through.name] === undefined;
    const said = await (isThere ? through : http).ask(
      operation,
      step.input?.(past) ?? {},
      tokens[step.as ?? 'operator'],
    );
    const { items } = await readLog(`after=${place}`);
    place = (items.at(-1)?.['cursor'] as string | undefined) ?? place;
    const events = items.map(({ event_type, source_agent, subject, tenant, payload }) =>
      comparable({ event_type, source_agent, subject, tenant, payload }),
    );
    return { said, events };
  };

  const record = new Map<string, Outcome>();
  for (const step of steps) {
    const done = await ask(step);
    record.set(step.operation, done);
    if ('value' in done.said) past[step.operation] = done.said.value;
  }
  const refused: Outcome[] = [];
  for (const step of refusals) refused.push(await ask(step));
  return { has: through.has, steps: record, refusals: refused };
}

let reference: Run;
beforeAll(async () => {
  reference = await runOn(overHttp);
});

describe('over HTTP', () => {
  it('every operation has its step, and each step works', () => {
    expect(steps.map(({ operation }) => operation).sort()).toEqual(allOperations.map(({ name }) => name).sort());
    const refused = [...reference.steps].flatMap(([name, { said }]) =>
      'refused' in said ? [`${name}: ${said.refused}`] : [],
    );
    expect(refused).toEqual([]);
    expect(reference.refusals.map(({ said }) => said)).toEqual(refusals.map(({ code }) => ({ refused: code })));
  });

  it('every change is in the log', () => {
    const silent = steps.filter((step) => {
      const { effect, name } = operationOf(step);
      // A beat and a renewal are too many to be events each; who has no session ends none.
      const isQuiet = ['fleet.agent.beat', 'work.job.renew', 'access.session.remove'].includes(name);
      return effect !== 'read' && !isQuiet && (reference.steps.get(name)!.events as unknown[]).length === 0;
    });
    expect(silent.map(({ operation }) => operation)).toEqual([]);
  });
});

const interfaces = { cli: overCli, mcp: overMcp, typescript: overTypescript, python: overPython };

describe.each(Object.entries(interfaces))('through %s', (name, open) => {
  const isMissing = name === 'python' && findPython() === undefined;
  let run: Run;
  beforeAll(async () => {
    if (!isMissing) run = await runOn(open as (url: string) => Interface);
  });

  it.skipIf(isMissing).each(steps)('$operation answers and records the same', (step) => {
    const operation = operationOf(step);
    const [expected, got] = [reference.steps.get(step.operation)!, run.steps.get(step.operation)!];
    // A model is shown no secret.
    const shown = (said: Said) =>
      comparable(name === 'mcp' && run.has(operation) ? withoutSecrets(said, secretPaths(operation)) : said);
    expect(shown(got.said)).toEqual(shown(expected.said));
    expect(got.events).toEqual(expected.events);
  });

  it.skipIf(isMissing)('refusals have the same code and change nothing', () => {
    const comparableRefusals = ({ refusals: all }: Run) =>
      all.map(({ said, events }, i) => [refusals[i]!.operation, said, events]);
    const expected = comparableRefusals(reference);
    const got = comparableRefusals(run);
    // What a model is denied is an event of its own.
    if (name === 'mcp') for (const list of [expected, got]) for (const entry of list) entry.pop();
    expect(got).toEqual(expected);
  });
});

function secretPaths({ secretOutput }: AnyOperation): string[] {
  return secretOutput.map((path) => `value.${path}`);
}

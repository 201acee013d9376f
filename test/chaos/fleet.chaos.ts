// Agents, their shims and their host are killed -9 at random. There are never two copies of an agent, nothing of an old
// start is left beside the new one, and in the end everything runs.
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readRecord } from '../../src/domains/fleet/host/record.ts';
import { findProcessesByMarker, processMarker } from '../../src/platform/process/facts.ts';
import { openTestFleet } from '../support/fleet.ts';
import { note, seededRandom } from './random.ts';

const KILLS = 40;
const AGENTS = ['alpha', 'beta', 'gamma'];
// A child in the group, one in a session of its own, one orphaned by its parent.
const command = 'sleep 300 & setsid sleep 300 & (setsid sh -c "sleep 300 & exit" &); while :; do sleep 0.2; done';

describe('agents and their host under kill -9', () => {
  it('run once each, and leave nothing behind', async () => {
    const random = seededRandom();
    const fleet = await openTestFleet();
    onTestFinished(() => fleet.close());
    const dir = fleet.dataDir();
    await fleet.declare(Object.fromEntries(AGENTS.map((name) => [name, { command, shell: true }])));
    let host: ChildProcess = await fleet.startHost(dir);
    let watching = true;
    const second: string[] = [];
    const watch = (async () => {
      while (watching) {
        for (const name of AGENTS) {
          const runs = livingRuns(name);
          if (runs.size > 1) second.push(`${name}: ${[...runs].join(' and ')}`);
        }
        await pause(20);
      }
    })();
    onTestFinished(() => {
      watching = false;
    });

    for (let kill = 0; kill < KILLS; kill++) {
      await pause(random.between(50, 800));
      const name = AGENTS[random.between(0, AGENTS.length - 1)]!;
      const facts = readRecord(join(dir, 'agents', 'fleet', name))?.process;
      const victim = ['host', 'agent', 'shim'][random.between(0, 2)]!;
      note(`kill ${victim}${victim === 'host' ? '' : ` of ${name}`}`);
      if (victim === 'host') {
        await fleet.endHost(host, 'SIGKILL');
        host = await fleet.startHost(dir);
      } else if (facts) killIfThere(victim === 'agent' ? facts.agentPid : facts.pid);
      // The breaker is not what is tried here.
      if (kill % 4 === 3) for (const agent of AGENTS) await fleet.app.fleet.restart(fleet.call, agent, 'chaos');
    }

    for (const name of AGENTS) {
      await fleet.app.fleet.restart(fleet.call, name, 'the end of the chaos');
      await fleet.until(name, (item) => item.state === 'healthy', 20_000);
      const isAlone = () => {
        const runs = [...livingRuns(name)];
        return runs.length === 1 && runs[0] === readRecord(join(dir, 'agents', 'fleet', name))?.marker;
      };
      await expect.poll(isAlone, { timeout: 8_000 }).toBe(true);
    }
    await fleet.endHost(host, 'SIGINT');
    expect(AGENTS.flatMap((name) => [...livingRuns(name)])).toEqual([]);
    watching = false;
    await watch;
    expect(second).toEqual([]);
  });
});

/** The starts of which some process lives. */
function livingRuns(agent: string): Set<string> {
  const pids = findProcessesByMarker('QUARTERDECK_AGENT', agent);
  return new Set(pids.flatMap((pid) => processMarker(pid, 'QD_RUN') ?? []));
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

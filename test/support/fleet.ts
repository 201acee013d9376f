// A small installation for tests of the host: a cluster, the application in this process, and hosts as processes that can
// be killed. Whatever agents they started is ended and everything removed at the end, also after a failed case.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, createApp } from '../../src/app.ts';
import { sweep } from '../../src/domains/fleet/host/agent-process.ts';
import { findRecords } from '../../src/domains/fleet/host/record.ts';
import { agentsSection } from '../../src/domains/fleet/manifest.ts';
import type { AgentItem } from '../../src/domains/fleet/operations.ts';
import type { Call } from '../../src/platform/call.ts';
import { startScratchCluster } from '../../src/platform/db/embedded/scratch.ts';
import { migrate, readMigrations } from '../../src/platform/db/migrate.ts';
import { createLogger } from '../../src/platform/logger.ts';
import { listenerPort } from './listener.ts';

export interface TestFleet {
  readonly app: App;
  readonly call: Call;
  /** A new data directory. */
  dataDir(): string;
  /** Starts a host and waits until it is ready. */
  startHost(dataDir: string, options?: { name?: string; databaseUrl?: string }): Promise<ChildProcess>;
  /** Ends a host by a signal and waits for its end. */
  endHost(host: ChildProcess, signal: NodeJS.Signals): Promise<void>;
  /** Makes these the declared agents. */
  declare(agents: Record<string, unknown>): Promise<void>;
  /** Waits until the agent is as described. */
  until(agent: string, accept: (item: AgentItem) => boolean, limitMs?: number): Promise<AgentItem>;
  events(agent: string): Promise<{ event_type: string; payload: Record<string, unknown> }[]>;
  /** An address of the database that can be cut off and mended. */
  breakableUrl(): Promise<{ url: string; cut(): void; mend(): void }>;
  /** Ends all hosts with their agents and forgets what was declared. */
  clear(): Promise<void>;
  close(): Promise<void>;
}

export async function openTestFleet(): Promise<TestFleet> {
  const cluster = await startScratchCluster({ dir: mkdtempSync(join(tmpdir(), 'qd-fleet-pg-')) });
  await migrate(cluster.url, await readMigrations(join(import.meta.dirname, '../../src')));
  const app = createApp({
    databaseUrl: cluster.url,
    connections: 4,
    part: 'test',
    logger: createLogger('test', 'silent'),
    publicUrl: () => 'http://127.0.0.1:4600',
  });
  app.wakeups.start();
  const call = app.systemCall();
  const hosts = new Set<ChildProcess>();
  const dirs: string[] = [];
  const proxies: { close(): void }[] = [];

  const endHost = async (host: ChildProcess, signal: NodeJS.Signals) => {
    hosts.delete(host);
    if (host.exitCode !== null || host.signalCode !== null) return;
    host.kill(signal);
    await once(host, 'exit');
  };
  const declare = async (agents: Record<string, unknown>) => {
    await app.fleet.applyAgents(call, agentsSection.parse(agents), { baseDir: tmpdir() });
  };
  const clear = async () => {
    for (const host of hosts) await endHost(host, 'SIGKILL');
    for (const dir of dirs.splice(0)) {
      for (const { record } of findRecords(join(dir, 'agents'))) if (record.marker !== null) await sweep(record.marker);
      rmSync(dir, { recursive: true, force: true });
    }
    for (const proxy of proxies.splice(0)) proxy.close();
    await declare({});
  };

  return {
    app,
    call,
    endHost,
    declare,
    clear,
    dataDir() {
      const dir = mkdtempSync(join(tmpdir(), 'qd-fleet-'));
      dirs.push(dir);
      return dir;
    },
    async startHost(dataDir, { name = 'harbour', databaseUrl = cluster.url } = {}) {
      const host = spawn(process.execPath, [join(import.meta.dirname, 'fleet-host.ts'), databaseUrl, dataDir, name], {
        stdio: ['ignore', 'pipe', 'inherit'],
        env: { ...process.env, FLEET_TEST_SECRET: 'hunter2-and-more' },
      });
      hosts.add(host);
      const ready = await Promise.race([once(host.stdout!, 'data'), once(host, 'exit').then(() => undefined)]);
      if (ready === undefined) throw new Error('the host ended before it was ready');
      return host;
    },
    async until(agent, accept, limitMs = 10_000) {
      const deadline = performance.now() + limitMs;
      for (;;) {
        const item = await app.fleet.show(call, agent);
        if (accept(item)) return item;
        if (performance.now() > deadline) throw new Error(`${agent} did not get so far: ${JSON.stringify(item)}`);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
    async events(agent) {
      return call.read((tx) =>
        tx.query('SELECT event_type, payload FROM log.event_log WHERE subject = $1 ORDER BY seq', [`agent:${agent}`]),
      );
    },
    async breakableUrl() {
      const open = new Set<Socket>();
      let isCut = false;
      const server = createServer((socket) => {
        if (isCut) return socket.destroy();
        const behind = connect(cluster.port, cluster.host);
        for (const [from, to] of [
          [socket, behind],
          [behind, socket],
        ] as const) {
          open.add(from);
          from.pipe(to);
          from.on('error', () => to.destroy());
          from.on('close', () => {
            open.delete(from);
            to.destroy();
          });
        }
      });
      const port = await listenerPort(server);
      const cut = () => {
        isCut = true;
        for (const socket of open) socket.destroy();
      };
      proxies.push({
        close() {
          cut();
          server.close();
        },
      });
      const url = new URL(cluster.url);
      url.port = String(port);
      const mend = () => {
        isCut = false;
      };
      return { url: url.href, cut, mend };
    },
    async close() {
      await clear();
      await app.stop();
      await cluster.stop();
    },
  };
}

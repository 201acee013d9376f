// The harbour's agents as processes of a test: beside an installation that does not supervise them, in a working
// directory of their own. They end with the test, whatever happened.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { placeSdks } from '../../src/interfaces/cli/local/example-sdks.ts';
import { type Installation, plainEnvironment } from '../support/installation.ts';

export const HARBOUR = resolve(import.meta.dirname, '../../examples/harbour');

export interface CrewMember {
  readonly name: string;
  readonly process: ChildProcess;
  /** What it printed so far. */
  printed(): string;
  /** Ends it with the signal and answers how it ended. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

export interface Crew {
  /** The agents' working directory, with documents/ and output/. */
  readonly dir: string;
  /** Registers an agent, starts its command and leaves it to itself. */
  start(name: string, command: readonly [string, ...string[]]): Promise<CrewMember>;
  /** A request of the operator; throws unless it is answered with 2xx. */
  // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever came back
  ask(method: string, path: string, body?: unknown): Promise<any>;
  stop(): Promise<void>;
}

/** `documents` are copied from the example unless the test brings its own. */
export function musterCrew(installation: Installation, options: { documents: 'shipped' | 'none' }): Crew {
  const dir = mkdtempSync(join(tmpdir(), 'qd-harbour-'));
  cpSync(join(HARBOUR, 'agents'), join(dir, 'agents'), { recursive: true });
  placeSdks(dir);
  if (options.documents === 'shipped') cpSync(join(HARBOUR, 'documents'), join(dir, 'documents'), { recursive: true });
  else mkdirSync(join(dir, 'documents'));
  const members: CrewMember[] = [];

  const ask: Crew['ask'] = async (method, path, body) => {
    const response = await fetch(installation.url + path, {
      method,
      headers: { authorization: `Bearer ${installation.token}`, 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };

  return {
    dir,
    ask,
    async start(name, [program, ...args]) {
      const { token } = await ask('POST', '/v1/agents', { agent: name });
      const member = launch(
        name,
        spawn(program, args, {
          cwd: dir,
          env: plainEnvironment(dir, {
            QUARTERDECK_URL: installation.url,
            QUARTERDECK_AGENT: name,
            QUARTERDECK_TOKEN: token,
            HARBOUR_LEASE_SECONDS: '5',
          }),
          stdio: ['ignore', 'pipe', 'pipe'],
        }),
      );
      members.push(member);
      return member;
    },
    async stop() {
      await Promise.all(members.map((member) => member.end('SIGKILL')));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function launch(name: string, process: ChildProcess): CrewMember {
  let text = '';
  for (const stream of [process.stdout!, process.stderr!]) {
    stream.setEncoding('utf8');
    stream.on('data', (part: string) => {
      text += part;
    });
  }
  const exited = once(process, 'exit').catch(() => undefined);
  return {
    name,
    process,
    printed: () => text,
    async end(signal) {
      process.kill('SIGCONT');
      process.kill(signal);
      await exited;
      return process.exitCode ?? process.signalCode;
    },
  };
}

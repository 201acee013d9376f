// One agent on this host: brings its process to what is wanted, step by step, one step at a time. Whatever it sees goes
// into its journal first and to the database then, so neither a kill nor an absent database loses it.
import { newUuid } from '../../../platform/ids.ts';
import { processMarker } from '../../../platform/process/facts.ts';
import { AgentConsole } from './agent-console.ts';
import { AgentProcess, forgetRun, type ProcessEnd, readEnd, sweep } from './agent-process.ts';
import { environmentOf } from './environment.ts';
import type { HostDoor } from './host-door.ts';
import { Journal } from './journal.ts';
import { currentSize } from './log-file.ts';
import type { Report } from './record.ts';
import { freshHistory, judgeEnd } from './restarts.ts';
import type { Wanted } from './store.ts';

export class SupervisedAgent {
  readonly agentId: string;
  readonly tenantId: string;
  readonly slug: string;
  readonly dir: string;
  readonly console: AgentConsole;
  readonly #door: HostDoor;
  readonly #journal: Journal;
  #isFresh: boolean;
  #process: AgentProcess | undefined;
  /** Values that an adopted process was started with; undefined until their names are known. */
  #heldSecrets: readonly string[] | undefined;
  /** Null until the database said it; undefined when this host is not to run it any more. */
  #wanted: Wanted | undefined | null = null;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #gone = false;

  constructor(door: HostDoor, agent: { agentId: string; tenantId: string; slug: string; dir: string }) {
    this.#door = door;
    this.agentId = agent.agentId;
    this.tenantId = agent.tenantId;
    this.slug = agent.slug;
    this.dir = agent.dir;
    this.#journal = new Journal(agent.dir, { agentId: agent.agentId, tenantId: agent.tenantId });
    this.#isFresh = this.#journal.isFresh;
    this.console = new AgentConsole(agent.dir, this.#journal);
    this.#adopt();
  }

  /** True once it is not wanted here and nothing of it runs. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** Says what the database wants now; undefined: not on this host, or not at all. */
  want(wanted: Wanted | undefined): void {
    this.#wanted = wanted;
    this.poke();
  }

  /** Asks for a step. */
  poke(): void {
    if (this.#closed) return;
    this.#again = true;
    this.#running ??= this.#work().finally(() => {
      this.#running = undefined;
    });
  }

  /** Leaves the process running for the next host. */
  async leave(): Promise<void> {
    await this.#close();
    this.#process?.leave();
  }

  /** Ends the process and gives the claim up. */
  async shutDown(): Promise<void> {
    await this.#close();
    await this.#endProcess();
    const { phase } = this.#journal.record;
    this.#journal.note({ phase: phase === 'crashed' || phase === 'ended' ? phase : 'stopped', release: true });
    await this.#tellAll();
  }

  async #close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #work(): Promise<void> {
    while (this.#again && !this.#closed) {
      this.#again = false;
      try {
        await this.#step();
      } catch (error) {
        // The next reading of what is wanted asks again, at the latest after a second.
        this.#door.failed(this, error);
      }
    }
  }

  async #step(): Promise<void> {
    const wanted = this.#wanted;
    if (wanted === null) return;
    if (wanted !== undefined) {
      if (this.#isFresh) this.#learn(wanted);
      this.#journal.noteExample(wanted.of_example);
      this.console.follow(wanted, this.#secretsOf(wanted));
    }
    if (this.#process?.end !== undefined || this.#isLost()) await this.#noteEnd(wanted);
    await this.#tellAll();
    if (wanted === undefined) return this.#disappear();
    if (this.#process !== undefined) return this.#keep(wanted, this.#process);
    return this.#startWhenDue(wanted);
  }

  // Without a record the database knows best: what must not be started again, and where the console goes on. What lies in
  // the log file then was printed by somebody else.
  #learn(wanted: Wanted): void {
    this.#isFresh = false;
    const { phase, generation, report: lastReport, console_end } = wanted;
    const isOver = phase === 'crashed' || phase === 'ended';
    const logBase = console_end - currentSize(this.dir);
    this.#journal.save({ phase: isOver ? phase : null, generation, lastReport, logBase });
  }

  async #keep(wanted: Wanted, running: AgentProcess): Promise<void> {
    const { generation, apiUrl = this.#door.apiUrl } = running.facts;
    // The API moved while it ran: it would look for it where it was for ever.
    const isMisled = apiUrl !== this.#door.apiUrl;
    if (wanted.desired === 'stop' || isMisled || generation !== wanted.restart_generation) {
      await this.#endProcess();
      await this.#tellAll();
      return this.poke();
    }
    // Another host was told to take it over while this one was away: this copy has to go.
    if (wanted.host_id !== this.#door.hostId && !(await this.#door.claim(this.agentId))) await this.#yield();
  }

  async #startWhenDue(wanted: Wanted): Promise<void> {
    const { phase, generation, nextStartAt } = this.#journal.record;
    if (wanted.desired === 'stop') {
      if (phase !== 'stopped' && phase !== null) this.#journal.note({ phase: 'stopped' });
      return this.#tellAll();
    }
    const isAnew = generation !== wanted.restart_generation;
    if (!isAnew && (phase === 'crashed' || phase === 'ended')) return;
    if (!isAnew && phase === 'waiting' && nextStartAt !== null && nextStartAt > Date.now()) {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.poke(), nextStartAt - Date.now());
      return;
    }
    await this.#start(wanted, isAnew);
  }

  async #start(wanted: Wanted, isAnew: boolean): Promise<void> {
    const begun = await this.#door.beginStart(wanted);
    if (begun === undefined) return;
    const { record } = this.#journal;
    if (record.marker !== null) {
      await sweep(record.marker, record.process);
      forgetRun(this.dir, record.marker);
    }
    const marker = newUuid();
    const generation = wanted.restart_generation;
    const history = isAnew ? freshHistory : record.history;
    const lastReport = Math.max(begun.report, record.lastReport);
    // Before the process exists its marker is on disk: whatever happens next, the next host can find it.
    this.#journal.save({
      phase: 'starting',
      generation,
      marker,
      process: null,
      history,
      nextStartAt: null,
      lastReport,
    });
    try {
      this.#watch(await this.#launch(wanted, marker, begun.token));
    } catch (error) {
      this.#judge(wanted, { code: null, text: `could not be started: ${reasonOf(error, wanted)}` }, Date.now());
      return this.#tellAll();
    }
    const { facts } = this.#process!;
    this.#journal.save({ process: facts });
    const payload = { agent: this.slug, host: this.#door.hostName, pid: facts.agentPid, run: marker };
    this.#journal.note({
      phase: 'running',
      pid: facts.agentPid,
      startedAt: facts.startedAt,
      started: true,
      events: [{ type: 'process.started', payload }],
    });
    await this.#tellAll();
  }

  async #launch(wanted: Wanted, marker: string, token: string): Promise<AgentProcess> {
    const { command, cwd, env: given, secrets, slug: agent, restart_generation: generation } = wanted;
    const { own, apiUrl, relayUrl } = this.#door;
    const env = environmentOf({ own, env: given, secrets, agent, token, apiUrl, relayUrl, marker });
    const output = this.console.open(wanted, this.#secretsOf(wanted));
    return AgentProcess.launch({ dir: this.dir, command, cwd, env, marker, generation, apiUrl, output });
  }

  /** Ends the process because that was asked for. */
  async #endProcess(): Promise<void> {
    clearTimeout(this.#timer);
    const running = this.#process;
    if (running === undefined) return;
    const end = await running.stop();
    this.#process = undefined;
    running.leave();
    this.#journal.save({ process: null, history: freshHistory, nextStartAt: null });
    this.#noteEnded(end, { phase: 'stopped', asked: true, nextStartAt: null, pid: running.facts.agentPid });
  }

  // It ended by itself: what it left behind goes too, then its restart rule decides.
  async #noteEnd(wanted: Wanted | undefined): Promise<void> {
    const { process, marker } = this.#journal.record;
    if (marker !== null) await sweep(marker, process);
    const end = this.#process?.end ?? readEnd(this.dir, marker ?? '');
    this.#process?.leave();
    this.#process = undefined;
    const startedAt = process === null ? Date.now() : Date.parse(process.startedAt);
    if (wanted !== undefined && wanted.desired !== 'stop') return this.#judge(wanted, end, startedAt);
    this.#journal.save({ process: null });
    this.#noteEnded(end, { phase: 'stopped', asked: true, nextStartAt: null, pid: process?.agentPid ?? null });
  }

  #judge(wanted: Wanted, end: ProcessEnd, startedAt: number): void {
    const now = Date.now();
    const { record } = this.#journal;
    const { history, verdict } = judgeEnd(record.history, {
      restart: wanted.restart,
      code: end.code,
      ranMs: now - startedAt,
      now,
      random: Math.random(),
    });
    const pid = record.process?.agentPid ?? null;
    const nextStartAt = verdict.kind === 'again' ? now + verdict.delayMs : null;
    this.#journal.save({ process: null, history, nextStartAt });
    const phase = verdict.kind === 'again' ? 'waiting' : verdict.kind === 'done' ? 'ended' : 'crashed';
    const crash = { agent: this.slug, host: this.#door.hostName, exit: end.text };
    const events =
      verdict.kind === 'crashed' ? [{ type: 'agent.crashed' as const, payload: { ...crash, ends: verdict.ends } }] : [];
    this.#noteEnded(end, { phase, asked: false, nextStartAt, pid }, events);
    this.poke();
  }

  #noteEnded(
    end: ProcessEnd,
    facts: { phase: Report['phase']; asked: boolean; nextStartAt: number | null; pid: number | null },
    more: Report['events'] = [],
  ): void {
    const payload = {
      agent: this.slug,
      host: this.#door.hostName,
      pid: facts.pid,
      run: this.#journal.record.marker ?? '',
      exit: end.text,
      asked: facts.asked,
      next_start_seconds: facts.nextStartAt === null ? null : Math.max(0, facts.nextStartAt - Date.now()) / 1000,
    };
    this.#journal.note({
      phase: facts.phase,
      exit: end.text,
      exitedAt: new Date().toISOString(),
      nextStartAt: facts.nextStartAt === null ? null : new Date(facts.nextStartAt).toISOString(),
      events: [{ type: 'process.ended', payload }, ...more],
    });
  }

  // The other host has the word about this agent now, so nothing is reported.
  async #yield(): Promise<void> {
    await this.#process?.stop();
    this.#process?.leave();
    this.#process = undefined;
    this.#journal.save({ process: null, phase: null, reports: [] });
  }

  async #disappear(): Promise<void> {
    await this.#endProcess();
    this.#journal.note({ phase: 'stopped', release: true });
    await this.#tellAll();
    this.console.close();
    this.#journal.remove();
    this.#gone = true;
    this.#closed = true;
  }

  // A start that was not finished, or a process that ended while no host watched.
  #isLost(): boolean {
    const { phase } = this.#journal.record;
    return this.#process === undefined && (phase === 'running' || phase === 'starting');
  }

  #adopt(): void {
    const { process } = this.#journal.record;
    const adopted = process === null ? undefined : AgentProcess.adopt(process, this.dir);
    if (adopted === undefined) return;
    this.#watch(adopted);
    const { agentPid, marker } = adopted.facts;
    const payload = { agent: this.slug, host: this.#door.hostName, pid: agentPid, run: marker };
    this.#journal.note({ phase: 'running', pid: agentPid, events: [{ type: 'process.adopted', payload }] });
  }

  #watch(running: AgentProcess): void {
    this.#process = running;
    void running.ended.then(() => this.poke());
  }

  #secretsOf(wanted: Wanted): string[] {
    // The environment of this host may hold newer values than the one that started the adopted process.
    const adopted = this.#process?.facts.pid;
    this.#heldSecrets ??=
      adopted === undefined ? [] : wanted.secrets.flatMap((name) => processMarker(adopted, name) ?? []);
    return [...wanted.secrets.flatMap((name) => this.#door.own[name] ?? []), ...this.#heldSecrets];
  }

  #tellAll(): Promise<void> {
    return this.#journal.tell((report) => this.#door.report(this, report));
  }
}

function reasonOf(error: unknown, wanted: Wanted): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `the directory ${wanted.cwd} does not exist` : message;
}

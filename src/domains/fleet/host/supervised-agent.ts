// One agent on this host: brings its process to what is wanted, step by step, one step at a time. Whatever it sees is first
// written to its record on disk and then told to the database, so neither a kill nor an absent database loses it.
import { newUuid } from '../../../platform/ids.ts';
import { announce } from '../../../platform/signals.ts';
import { AgentProcess, forgetRun, type ProcessEnd, readEnd, sweep } from './agent-process.ts';
import { ConsoleTail } from './console-tail.ts';
import { environmentOf } from './environment.ts';
import { currentSize, openForAppend, rotateByCopy, rotateByRename } from './log-file.ts';
import { type AgentRecord, type Report, readRecord, removeRecord, writeRecord } from './record.ts';
import { freshHistory, judgeEnd } from './restarts.ts';
import type { Wanted } from './store.ts';

/** What an agent on this host needs of the host. */
export interface HostDoor {
  readonly hostId: string;
  readonly hostName: string;
  readonly apiUrl: string;
  readonly relayUrl: string | undefined;
  readonly own: Readonly<Record<string, string | undefined>>;
  /**
   * Takes the claim and a new token for a start; undefined when another host has the agent. `report` is the number of the
   * last report that any host made.
   */
  beginStart(wanted: Wanted): Promise<{ token: string; report: number } | undefined>;
  /** Whether this host has, or now gets, the claim on the agent. */
  claim(agentId: string): Promise<boolean>;
  /** Tells the database and the log; throws while the database is away. */
  report(agent: SupervisedAgent, report: Report): Promise<void>;
  failed(agent: SupervisedAgent, error: unknown): void;
}

type NewReport = Partial<Omit<Report, 'number'>> & Pick<Report, 'phase'>;

export class SupervisedAgent {
  readonly agentId: string;
  readonly tenantId: string;
  readonly slug: string;
  readonly dir: string;
  readonly #door: HostDoor;
  #record: AgentRecord;
  #process: AgentProcess | undefined;
  #tail: ConsoleTail | undefined;
  /** Null until the database said it; undefined when this host is not to run it any more. */
  #wanted: Wanted | undefined | null = null;
  /** True while nothing was on disk of it and the database was not asked yet. */
  #isFresh: boolean;
  #logCapBytes = Number.POSITIVE_INFINITY;
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
    const record = readRecord(agent.dir);
    this.#isFresh = record === undefined;
    this.#record = record ?? emptyRecord(agent);
    this.#adopt();
  }

  /** True once it is not wanted here and nothing of it runs. */
  get isGone(): boolean {
    return this.#gone;
  }

  /** Undefined until there is output to follow. */
  get tail(): ConsoleTail | undefined {
    return this.#tail;
  }

  /** Says what the database wants now; undefined: not on this host, or not at all. */
  want(wanted: Wanted | undefined): void {
    this.#wanted = wanted;
    this.#logCapBytes = wanted?.log_cap_bytes ?? this.#logCapBytes;
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
    const { phase } = this.#record;
    this.#note({ phase: phase === 'crashed' || phase === 'ended' ? phase : 'stopped', release: true });
    await this.#tellAll();
  }

  /** Closes the log file's part when it is larger than its cap, under the running process. */
  rotateWhenLarge(): void {
    const tail = this.#tail;
    if (tail === undefined || tail.size <= this.#logCapBytes) return;
    const { logBase } = this.#record;
    const { size, skipped } = rotateByCopy(this.dir, this.#logCapBytes);
    this.#save({ logBase: logBase + size });
    tail.followCopied(logBase + skipped, logBase + size);
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
    this.#follow(wanted);
    if (this.#process?.end !== undefined || this.#isLost()) await this.#noteEnd(wanted);
    await this.#tellAll();
    if (wanted === undefined) return this.#disappear();
    if (this.#process !== undefined) return this.#keep(wanted, this.#process);
    await this.#startWhenDue(wanted);
  }

  async #keep(wanted: Wanted, running: AgentProcess): Promise<void> {
    const isAnew = running.facts.generation !== wanted.restart_generation;
    if (wanted.desired === 'stop' || isAnew) {
      await this.#endProcess();
      await this.#tellAll();
      if (wanted.desired !== 'stop') this.poke();
      return;
    }
    // Another host was told to take it over while this one was away: this copy has to go.
    if (wanted.host_id !== this.#door.hostId && !(await this.#door.claim(this.agentId))) await this.#yield();
  }

  async #startWhenDue(wanted: Wanted): Promise<void> {
    if (wanted.desired === 'stop') {
      if (this.#record.phase !== 'stopped' && this.#record.phase !== null) this.#note({ phase: 'stopped' });
      return this.#tellAll();
    }
    const { phase, generation, nextStartAt } = this.#record;
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
    if (this.#record.marker !== null) {
      await sweep(this.#record.marker);
      forgetRun(this.dir, this.#record.marker);
    }
    const marker = newUuid();
    const generation = wanted.restart_generation;
    const history = isAnew ? freshHistory : this.#record.history;
    // Before the process exists its marker is on disk: whatever happens next, the next host can find it.
    const lastReport = Math.max(begun.report, this.#record.lastReport);
    this.#save({ phase: 'starting', generation, marker, process: null, history, nextStartAt: null, lastReport });
    try {
      const env = environmentOf({
        own: this.#door.own,
        env: wanted.env,
        secrets: wanted.secrets,
        agent: wanted.slug,
        token: begun.token,
        apiUrl: this.#door.apiUrl,
        relayUrl: this.#door.relayUrl,
        marker,
      });
      const { command, cwd } = wanted;
      const output = this.#openLog(wanted);
      this.#watch(await AgentProcess.launch({ dir: this.dir, command, cwd, env, marker, generation, output }));
    } catch (error) {
      this.#judge(wanted, { code: null, text: `could not be started: ${reasonOf(error, wanted)}` }, Date.now());
      return this.#tellAll();
    }
    const { facts } = this.#process!;
    this.#save({ process: facts });
    const payload = { agent: this.slug, host: this.#door.hostName, pid: facts.agentPid, run: marker };
    this.#note({
      phase: 'running',
      pid: facts.agentPid,
      startedAt: facts.startedAt,
      started: true,
      events: [{ type: 'process.started', payload }],
    });
    announce('fleet.process_started', { agent: this.slug, ...facts });
    await this.#tellAll();
  }

  // Between two starts nobody has the log file open, so a large one is closed without losing a byte.
  #openLog(wanted: Wanted): number {
    const isLarge = currentSize(this.dir) > wanted.log_cap_bytes;
    if (isLarge) this.#save({ logBase: this.#record.logBase + rotateByRename(this.dir) });
    const output = openForAppend(this.dir);
    if (isLarge) this.#tail?.followRenamed(this.#record.logBase);
    this.#tail ??= new ConsoleTail(this.dir, wanted.console_end, this.#record.logBase);
    this.#tail.secrets = this.#secretsOf(wanted);
    return output;
  }

  /** Ends the process because that was asked for. */
  async #endProcess(): Promise<void> {
    clearTimeout(this.#timer);
    const running = this.#process;
    if (running === undefined) return;
    const end = await running.stop();
    this.#process = undefined;
    running.leave();
    this.#save({ process: null, history: freshHistory, nextStartAt: null });
    this.#noteEnded(end, { phase: 'stopped', asked: true, nextStartAt: null, pid: running.facts.agentPid });
  }

  // It ended by itself: what it left behind goes too, then its restart rule decides.
  async #noteEnd(wanted: Wanted | undefined): Promise<void> {
    const { process, marker } = this.#record;
    if (marker !== null) await sweep(marker);
    const end = this.#process?.end ?? readEnd(this.dir, marker ?? '');
    this.#process?.leave();
    this.#process = undefined;
    const startedAt = process === null ? Date.now() : Date.parse(process.startedAt);
    if (wanted === undefined || wanted.desired === 'stop') {
      this.#save({ process: null });
      this.#noteEnded(end, { phase: 'stopped', asked: true, nextStartAt: null, pid: process?.agentPid ?? null });
    } else this.#judge(wanted, end, startedAt);
  }

  #judge(wanted: Wanted, end: ProcessEnd, startedAt: number): void {
    const now = Date.now();
    const { history, verdict } = judgeEnd(this.#record.history, {
      restart: wanted.restart,
      code: end.code,
      ranMs: now - startedAt,
      now,
      random: Math.random(),
    });
    const pid = this.#record.process?.agentPid ?? null;
    const nextStartAt = verdict.kind === 'again' ? now + verdict.delayMs : null;
    this.#save({ process: null, history, nextStartAt });
    const phase = verdict.kind === 'again' ? 'waiting' : verdict.kind === 'done' ? 'ended' : 'crashed';
    this.#noteEnded(end, { phase, asked: false, nextStartAt, pid });
    if (verdict.kind === 'crashed') {
      const payload = { agent: this.slug, host: this.#door.hostName, exit: end.text, ends: verdict.ends };
      this.#note({ phase, events: [{ type: 'agent.crashed', payload }] });
    }
    this.poke();
  }

  #noteEnded(
    end: ProcessEnd,
    facts: { phase: Report['phase']; asked: boolean; nextStartAt: number | null; pid: number | null },
  ): void {
    const payload = {
      agent: this.slug,
      host: this.#door.hostName,
      pid: facts.pid,
      run: this.#record.marker ?? '',
      exit: end.text,
      asked: facts.asked,
      next_start_seconds: facts.nextStartAt === null ? null : Math.max(0, facts.nextStartAt - Date.now()) / 1000,
    };
    this.#note({
      phase: facts.phase,
      exit: end.text,
      exitedAt: new Date().toISOString(),
      nextStartAt: facts.nextStartAt === null ? null : new Date(facts.nextStartAt).toISOString(),
      events: [{ type: 'process.ended', payload }],
    });
    announce('fleet.process_ended', { agent: this.slug, ...end });
  }

  // The other host has the word about this agent now, so nothing is reported.
  async #yield(): Promise<void> {
    await this.#process?.stop();
    this.#process?.leave();
    this.#process = undefined;
    this.#save({ process: null, phase: null, reports: [] });
  }

  async #disappear(): Promise<void> {
    await this.#endProcess();
    this.#note({ phase: 'stopped', release: true });
    await this.#tellAll();
    this.#tail?.close();
    this.#tail = undefined;
    removeRecord(this.dir);
    this.#gone = true;
    this.#closed = true;
    announce('fleet.agent_gone', { agent: this.slug });
  }

  // A start that was not finished, or a process that ended while no host watched.
  #isLost(): boolean {
    return this.#process === undefined && (this.#record.phase === 'running' || this.#record.phase === 'starting');
  }

  #adopt(): void {
    const { process } = this.#record;
    const adopted = process === null ? undefined : AgentProcess.adopt(process, this.dir);
    if (adopted === undefined) return;
    this.#watch(adopted);
    const { agentPid, marker } = adopted.facts;
    const payload = { agent: this.slug, host: this.#door.hostName, pid: agentPid, run: marker };
    this.#note({ phase: 'running', pid: agentPid, events: [{ type: 'process.adopted', payload }] });
    announce('fleet.process_adopted', { agent: this.slug, ...adopted.facts });
  }

  #watch(running: AgentProcess): void {
    this.#process = running;
    void running.ended.then(() => this.poke());
  }

  // Without a record the database knows best: what must not be started again, and where the console goes on. What lies in
  // the log file then was printed by somebody else.
  #follow(wanted: Wanted | undefined): void {
    if (wanted === undefined) return;
    if (this.#isFresh) {
      this.#isFresh = false;
      const { phase, generation, report: lastReport, console_end } = wanted;
      const isOver = phase === 'crashed' || phase === 'ended';
      const logBase = console_end - currentSize(this.dir);
      this.#save({ phase: isOver ? phase : null, generation, lastReport, logBase });
    }
    if (this.#tail !== undefined || currentSize(this.dir) === 0) return;
    this.#tail = new ConsoleTail(this.dir, wanted.console_end, this.#record.logBase);
    this.#tail.secrets = this.#secretsOf(wanted);
  }

  #secretsOf(wanted: Wanted): string[] {
    return wanted.secrets.flatMap((name) => this.#door.own[name] ?? []);
  }

  #note(report: NewReport): void {
    const number = this.#record.lastReport + 1;
    const full: Report = {
      number,
      generation: this.#record.generation,
      pid: null,
      startedAt: null,
      exit: null,
      exitedAt: null,
      nextStartAt: null,
      started: false,
      release: false,
      events: [],
      ...report,
    };
    this.#save({ phase: report.phase, lastReport: number, reports: [...this.#record.reports, full] });
  }

  async #tellAll(): Promise<void> {
    for (;;) {
      const [report] = this.#record.reports;
      if (report === undefined) return;
      await this.#door.report(this, report);
      this.#save({ reports: this.#record.reports.slice(1) });
    }
  }

  #save(change: Partial<AgentRecord>): void {
    this.#record = { ...this.#record, ...change };
    writeRecord(this.dir, this.#record);
  }
}

function emptyRecord({ agentId, tenantId }: { agentId: string; tenantId: string }): AgentRecord {
  return {
    agentId,
    tenantId,
    phase: null,
    generation: 0,
    marker: null,
    process: null,
    history: freshHistory,
    nextStartAt: null,
    logBase: 0,
    lastReport: 0,
    reports: [],
  };
}

function reasonOf(error: unknown, wanted: Wanted): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' ? `the directory ${wanted.cwd} does not exist` : message;
}

// The display state of an agent, derived from what is wanted of it and what is known of it. Pure rules: time comes in with
// the facts, by the database's clock.
import type { agentStates } from './operations.ts';

export type AgentState = (typeof agentStates)[number];
/** What the host knows of a supervised process. */
export type Phase = 'starting' | 'running' | 'waiting' | 'crashed' | 'ended' | 'stopped';

export interface AgentFacts {
  readonly now: Date;
  readonly kind: 'process' | 'external' | 'llm';
  /** Whether a host starts it: it has a command. */
  readonly supervised: boolean;
  readonly desired: 'run' | 'pause' | 'stop';
  readonly desiredBy: string | null;
  readonly desiredReason: string | null;
  readonly silenceLimitSeconds: number | null;
  readonly lastSeen: Date | null;
  readonly phase: Phase | null;
  readonly host: string | null;
  readonly hostSeen: Date | null;
  readonly pid: number | null;
  readonly startedAt: Date | null;
  readonly exit: string | null;
  readonly exitedAt: Date | null;
  readonly nextStartAt: Date | null;
  /** When the healer last did something about its silence. */
  readonly healingSince: Date | null;
}

export interface DerivedState {
  readonly state: AgentState;
  /** One sentence. */
  readonly reason: string;
  /** Whether the operator is to be told, and how loudly. */
  readonly attention: 'none' | 'warn' | 'error';
  /** Since when, where that is known. */
  readonly since: Date | null;
}

/** How long an external agent may give no sign of life unless it has a limit of its own (15 minutes). */
export const EXTERNAL_LIMIT_SECONDS = 900;
/** A host confirms its processes every 5 seconds; after this long without, nothing is known of them. */
export const HOST_LIMIT_SECONDS = 15;
/** Late becomes silent after this many limits. */
const SILENT_FACTOR = 3;
/** A restart that has been due for so long is not just the back-off any more. */
const OVERDUE_SECONDS = 15;

/** The limit that holds for an agent, in seconds. */
export function silenceLimit(facts: Pick<AgentFacts, 'silenceLimitSeconds' | 'supervised'>): number {
  return facts.silenceLimitSeconds ?? (facts.supervised ? HOST_LIMIT_SECONDS : EXTERNAL_LIMIT_SECONDS);
}

export function deriveState(facts: AgentFacts): DerivedState {
  if (facts.desired === 'stop') return stopped(facts);
  const observed = facts.supervised ? observeProcess(facts) : observeSigns(facts);
  // A paused agent that is in trouble shows the trouble: pausing must not hide a crash.
  if (facts.desired !== 'pause' || !(observed.state === 'healthy' || observed.state === 'unknown')) return observed;
  return { state: 'paused', reason: `Paused${byWhom(facts)}.`, attention: 'none', since: null };
}

function stopped(facts: AgentFacts): DerivedState {
  const ending = facts.supervised && (facts.phase === 'running' || facts.phase === 'starting');
  return {
    state: 'stopped',
    reason: `Told to stop${byWhom(facts)}${ending ? '; its process is ending' : ''}.`,
    attention: 'none',
    since: facts.exitedAt,
  };
}

function observeProcess(facts: AgentFacts): DerivedState {
  const observed = observePhase(facts);
  const { healingSince, lastSeen } = facts;
  // Until the agent itself speaks again: a process that runs is not yet an agent that works.
  const isHealing = healingSince !== null && (lastSeen === null || lastSeen < healingSince);
  if (!isHealing || facts.desired !== 'run' || observed.state === 'crashed' || observed.state === 'stopped') {
    return observed;
  }
  const reason = `The healer has it restarted, because it gave no sign of life. ${observed.reason}`;
  return { state: 'healing', reason, attention: 'warn', since: healingSince };
}

function observePhase(facts: AgentFacts): DerivedState {
  const { phase, exitedAt } = facts;
  const exit = facts.exit ?? 'ended';
  if (phase === null) {
    return { state: 'unknown', reason: 'No host has started it yet.', attention: 'none', since: null };
  }
  if (phase === 'crashed') {
    const reason = `Its process ended too often in a short time (last: ${exit}) and is not started again until it is restarted by hand.`;
    return { state: 'crashed', reason, attention: 'error', since: exitedAt };
  }
  if (phase === 'ended') {
    const reason = `Its process ended (${exit}) and its restart rule does not start it again.`;
    return { state: 'stopped', reason, attention: 'none', since: exitedAt };
  }
  if (phase === 'stopped') {
    return {
      state: 'stopped',
      reason: 'Its host was shut down and starts it again when it returns.',
      attention: 'none',
      since: exitedAt,
    };
  }
  const silence =
    facts.silenceLimitSeconds === null ? undefined : judgeSilence(facts, latest(facts.lastSeen, facts.startedAt));
  const hostAge = ageSeconds(facts.now, facts.hostSeen);
  // An agent that is silent is worse than a host that is away, and both may be true.
  if (hostAge > HOST_LIMIT_SECONDS && !(phase === 'running' && silence?.state === 'silent')) {
    const reason = `Its host ${facts.host ?? ''} has not reported for ${inWords(hostAge)}; the process may go on without it.`;
    return { state: 'late', reason, attention: 'warn', since: facts.hostSeen };
  }
  if (phase === 'starting')
    return { state: 'late', reason: 'Its process is being started.', attention: 'none', since: null };
  if (phase === 'waiting') return waiting(facts, exit);
  if (silence !== undefined && silence.state !== 'healthy') return silence;
  const reason = `Process ${facts.pid ?? '?'} runs on ${facts.host ?? 'its host'}.`;
  return { state: 'healthy', reason, attention: 'none', since: facts.startedAt };
}

function waiting(facts: AgentFacts, exit: string): DerivedState {
  const due = facts.nextStartAt === null ? 0 : (facts.nextStartAt.getTime() - facts.now.getTime()) / 1000;
  const overdue = due < -OVERDUE_SECONDS;
  const next = overdue ? 'is overdue to start again' : `starts again in ${inWords(Math.max(0, due))}`;
  return {
    state: 'late',
    reason: `Its process ended (${exit}) and ${next}.`,
    attention: overdue ? 'warn' : 'none',
    since: facts.exitedAt,
  };
}

function observeSigns(facts: AgentFacts): DerivedState {
  if (facts.lastSeen === null) {
    return { state: 'unknown', reason: 'It has never given a sign of life.', attention: 'none', since: null };
  }
  // Agents that run only while they have a job are quiet between jobs.
  if (facts.kind === 'llm' && facts.silenceLimitSeconds === null) {
    return { state: 'healthy', reason: 'It is started when a job needs it.', attention: 'none', since: facts.lastSeen };
  }
  return judgeSilence(facts, facts.lastSeen);
}

function judgeSilence(facts: AgentFacts, seen: Date | null): DerivedState {
  const limit = silenceLimit(facts);
  const age = ageSeconds(facts.now, seen);
  if (age <= limit) return { state: 'healthy', reason: 'It gives signs of life.', attention: 'none', since: seen };
  const silent = age > limit * SILENT_FACTOR;
  return {
    state: silent ? 'silent' : 'late',
    reason: `No sign of life for ${inWords(age)}; its limit is ${inWords(limit)}.`,
    attention: silent ? 'error' : 'warn',
    since: seen,
  };
}

function byWhom({ desiredBy, desiredReason }: AgentFacts): string {
  return `${desiredBy === null ? '' : ` by ${desiredBy}`}${desiredReason === null ? '' : `: ${desiredReason}`}`;
}

// Never seen counts as infinitely long ago.
function ageSeconds(now: Date, then: Date | null): number {
  return then === null ? Number.POSITIVE_INFINITY : (now.getTime() - then.getTime()) / 1000;
}

function latest(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return a ?? b;
  return a > b ? a : b;
}

function inWords(seconds: number): string {
  if (!Number.isFinite(seconds)) return 'ever';
  if (seconds < 10) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}

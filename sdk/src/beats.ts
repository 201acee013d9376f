// Signs of life, sent by the work itself. There is no timer: whoever hangs falls silent, and is found.
import { QuarterdeckError } from './errors.ts';
import type { AgentBeatOutput, AgentOperations } from './operations.ts';

export type Desired = AgentBeatOutput['desired'];

const EVERY_MS = 5_000;
const TIMEOUT_MS = 5_000;

export class Beats {
  readonly #operations: AgentOperations;
  readonly #agent: string | undefined;
  #sentAt = Number.NEGATIVE_INFINITY;
  #desired: Desired = 'run';

  constructor(operations: AgentOperations, agent: string | undefined) {
    this.#operations = operations;
    this.#agent = agent;
  }

  /** Whether the next beat will be sent. */
  get isDue(): boolean {
    return performance.now() - this.#sentAt >= EVERY_MS;
  }

  /** Throws QuarterdeckError when the server refuses the beat, not when it is away: that must not stop the work. */
  async beat(status?: string, job?: string): Promise<Desired> {
    const agent = this.#agent;
    if (agent === undefined) throw new TypeError('whose beat? Set QUARTERDECK_AGENT, or give `agent`');
    if (!this.isDue) return this.#desired;
    this.#sentAt = performance.now();
    try {
      const said = { agent, status: status?.slice(0, 200), job };
      this.#desired = (await this.#operations.beat(said, { retryForMs: 0, timeoutMs: TIMEOUT_MS })).desired;
    } catch (error) {
      if (!(error instanceof QuarterdeckError && error.retryable)) throw error;
    }
    return this.#desired;
  }
}

// Signs of life of agents, gathered so that many cost one statement: beats by group commit, since each is answered; all
// other signs at most once a second, since nobody waits for them.
import { type Database, fleetScope } from '../../platform/db/database.ts';
import { isConnectionLoss } from '../../platform/db/database-errors.ts';
import { isAppError } from '../../platform/errors.ts';
import { GroupCommit } from '../../platform/group-commit.ts';
import { type Beat, recordBeats, recordSigns } from './store.ts';

export interface BeatAnswer {
  readonly desired: 'run' | 'pause' | 'stop';
  readonly time: Date;
}

const SIGNS_EVERY_MS = 1_000;

export class Signs {
  readonly #db: Database;
  readonly #beats: GroupCommit<Beat, BeatAnswer | undefined>;
  readonly #seen = new Set<string>();
  #timer: NodeJS.Timeout | undefined;

  constructor(db: Database) {
    this.#db = db;
    this.#beats = new GroupCommit(
      (beats) => this.#commit(beats),
      (error) => isAppError(error) || isConnectionLoss(error),
    );
  }

  /** Records a beat; undefined when there is no such agent. */
  beat(beat: Beat): Promise<BeatAnswer | undefined> {
    return this.#beats.submit(beat);
  }

  /** Notes a sign of life; it reaches the database within a second, or is dropped when that is away. */
  seen(agentId: string): void {
    this.#seen.add(agentId);
    this.#timer ??= setTimeout(() => void this.#flush(), SIGNS_EVERY_MS).unref();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#seen.clear();
  }

  async #commit(beats: readonly Beat[]): Promise<(BeatAnswer | undefined)[]> {
    // One statement updates a row once, so of several beats of one agent the last counts.
    const latest = new Map(beats.map((beat) => [beat.agentId, beat]));
    const answers = await this.#db.write(fleetScope, (tx) => recordBeats(tx, [...latest.values()]));
    return beats.map((beat) => answers.get(beat.agentId));
  }

  async #flush(): Promise<void> {
    const ids = [...this.#seen];
    this.#seen.clear();
    this.#timer = undefined;
    try {
      await this.#db.write(fleetScope, (tx) => recordSigns(tx, ids));
    } catch {
      // Agents speak again; a lost sign only makes a state old for a second.
    }
  }
}

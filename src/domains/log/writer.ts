// Appends from outside by group commit: what arrives during one commit shares the next one's fsync.
import { createHash } from 'node:crypto';
import type { Database } from '../../platform/db/database.ts';
import { fleetScope } from '../../platform/db/database.ts';
import { UniqueViolation } from '../../platform/db/database-errors.ts';
import { isAppError } from '../../platform/errors.ts';
import { GroupCommit } from '../../platform/group-commit.ts';
import { newUuid } from '../../platform/ids.ts';
import { logErrors } from './errors.ts';
import { insertOnce, type Writing, type Written } from './store.ts';

const RACE_TRIES = 5;

export class EventWriter {
  readonly #db: Database;
  readonly #committed: () => void;
  readonly #groups: GroupCommit<readonly Writing[], Written[]>;

  /** `committed` is called after each commit. */
  constructor(db: Database, committed: () => void) {
    this.#db = db;
    this.#committed = committed;
    this.#groups = new GroupCommit(
      (submissions) => this.#commit(submissions),
      (error) => isAppError(error) && error.status >= 500,
    );
  }

  /** Writes all or none; answers in the order given. Throws `log.event_id_reused`. */
  append(events: readonly Writing[]): Promise<Written[]> {
    return this.#groups.submit(events.map(withId), events.length);
  }

  async #commit(submissions: readonly (readonly Writing[])[]): Promise<Written[][]> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#db.write(fleetScope, async (tx) => {
          const written = await insertOnce(tx, distinct(submissions.flat()));
          tx.afterCommit(this.#committed);
          return answers(submissions, written);
        });
      } catch (error) {
        // Another process wrote one of these ids a moment ago: the next attempt finds it.
        if (!(error instanceof UniqueViolation) || attempt >= RACE_TRIES) throw error;
      }
    }
  }
}

// The same id twice in one statement would collide with itself: the first is written, the others are its duplicates.
function distinct(events: readonly Writing[]): Writing[] {
  const byKey = new Map<string, Writing>();
  for (const event of events) {
    const key = keyOf(event.tenantId, event.id);
    if (!byKey.has(key)) byKey.set(key, event);
  }
  return [...byKey.values()];
}

// Thrown before the commit, a reused id changes nothing; the group then tries each submission alone.
function answers(submissions: readonly (readonly Writing[])[], written: readonly Written[]): Written[][] {
  const byKey = new Map(written.map((row) => [keyOf(row.tenant_id, row.id), row]));
  const hashes = new Map(written.map((row) => [row, row.hash ?? undefined]));
  const answered = new Set<Written>();
  return submissions.map((events) =>
    events.map((event) => {
      const row = byKey.get(keyOf(event.tenantId, event.id))!;
      const hash = hashes.get(row);
      if (hash === undefined) hashes.set(row, event.hash);
      else if (hash !== event.hash) throw logErrors.event_id_reused({ id: event.id });
      const duplicate = row.duplicate || answered.has(row);
      answered.add(row);
      return { ...row, duplicate };
    }),
  );
}

function withId(event: Writing): Writing {
  if (event.id === undefined) return { ...event, id: newUuid() };
  const content = JSON.stringify([
    event.event_type,
    event.source_agent,
    event.subject ?? null,
    event.payload,
    event.correlationId ?? null,
    event.causationId ?? null,
  ]);
  return { ...event, hash: createHash('sha256').update(content).digest('hex') };
}

function keyOf(tenantId: string, id: string | undefined): string {
  return `${tenantId}/${id}`;
}

// Appends from outside by group commit: what arrives during one commit shares the next one's fsync.
import { createHash } from 'node:crypto';
import type { Database } from '../../platform/db/database.ts';
import { UniqueViolation } from '../../platform/db/database-errors.ts';
import { isAppError } from '../../platform/errors.ts';
import { GroupCommit } from '../../platform/group-commit.ts';
import { newUuid } from '../../platform/ids.ts';
import { logErrors } from './errors.ts';
import { EventIdReused, type Writing, type Written, writeOnce } from './store.ts';

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
    const events = distinct(submissions.flat());
    for (let attempt = 1; ; attempt++) {
      try {
        const written = await writeOnce(this.#db, events);
        this.#committed();
        return answers(submissions, written);
      } catch (error) {
        if (error instanceof EventIdReused) throw logErrors.event_id_reused({ id: error.id }, error);
        // Another process wrote one of these ids a moment ago: the next attempt finds it.
        if (!(error instanceof UniqueViolation) || attempt >= RACE_TRIES) throw error;
      }
    }
  }
}

// The same id twice in one statement would collide with itself: the first is written, the others are its duplicates.
// With other content the whole group is refused before anything is sent, and each submission is then tried alone.
function distinct(events: readonly Writing[]): Writing[] {
  const byKey = new Map<string, Writing>();
  for (const event of events) {
    const key = keyOf(event.tenantId, event.id);
    const first = byKey.get(key);
    if (first === undefined) byKey.set(key, event);
    else if (first.hash !== event.hash) throw logErrors.event_id_reused({ id: event.id });
  }
  return [...byKey.values()];
}

function answers(submissions: readonly (readonly Writing[])[], written: readonly Written[]): Written[][] {
  const byKey = new Map(written.map((row) => [keyOf(row.tenant_id, row.id), row]));
  const answered = new Set<Written>();
  return submissions.map((events) =>
    events.map((event) => {
      const row = byKey.get(keyOf(event.tenantId, event.id))!;
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

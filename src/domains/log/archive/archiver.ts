// Moves the oldest partition of the log into a file once its newest event is old enough. Only what was read back from the
// file and agrees with its seals is dropped from the database; killed anywhere, the next turn begins with what is there.
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { Call } from '../../../platform/call.ts';
import { type Database, fleetScope, ownerScope, type Tx } from '../../../platform/db/database.ts';
import { isAppError } from '../../../platform/errors.ts';
import { announce } from '../../../platform/signals.ts';
import { logEvents } from '../events.ts';
import { type Line, rowDifferences } from '../seals/canonical.ts';
import type { Partition, SealOutline } from '../seals/store.ts';
import { findSeal, logIdentity, partitions, readLines, sealsWithin } from '../seals/store.ts';
import type { Log } from '../service.ts';
import { ArchiveDamaged, FrameWriter, isAsSealed, readFrame, syncDirectory } from './file.ts';
import * as store from './store.ts';

export interface ArchiverOptions {
  readonly db: Database;
  readonly log: Log;
  readonly call: Call;
  /** Directory of all archives; the log has `log` in it. */
  readonly directory: string;
  /** A partition whose newest event is older leaves the database. */
  readonly keepDays: number;
  /** Told of each step, for tests that die at it. */
  readonly step?: (name: ArchiveStep) => void;
}

export type ArchiveStep = 'created' | 'segment' | 'synced' | 'renamed' | 'read_back' | 'recorded' | 'dropped';

const PAGE = 200;
const MOST_NAMES = 2_000;
const PARTIAL = '.partial';

/** The table and its seals disagree: nothing is archived, so that what was tampered with stays where it is. */
export class PartitionRefused extends Error {
  override readonly name = 'PartitionRefused';
}

export class Archiver {
  readonly #options: ArchiverOptions;
  #told: string | undefined;

  constructor(options: ArchiverOptions) {
    this.#options = options;
  }

  /** One partition at most; answers whether one was dropped, so that the next may follow at once. */
  async turn(): Promise<boolean> {
    const { db } = this.#options;
    let partition: Partition | undefined;
    try {
      const dropped = await db.write(fleetScope, async (tx) => {
        if (!(await store.tryBeArchiver(tx))) return false;
        await this.#removePartials(await prefixOf(tx));
        const due = await this.#findDue(tx);
        if (due === undefined) return false;
        partition = due.partition;
        return this.#drop(due, await this.#archive(tx, due));
      });
      if (dropped) this.#told = undefined;
      return dropped;
    } catch (error) {
      if (partition === undefined || (isAppError(error) && error.code === 'unavailable')) throw error;
      await this.#tell(partition, error);
      return false;
    }
  }

  async #findDue(tx: Tx): Promise<Due | undefined> {
    const [oldest, next] = await partitions(tx);
    // The one that is written to, or the last that is there, is never taken.
    if (oldest === undefined || next === undefined) return undefined;
    const to = oldest.upper_bound - 1;
    if (!(await store.isOlderThan(tx, oldest.lower_bound, to, this.#options.keepDays))) return undefined;
    const seals = await sealsWithin(tx, oldest.lower_bound, to);
    return seals.at(-1)?.to_seq === to ? { partition: oldest, seals } : undefined;
  }

  // Written anew unless it was recorded before and still reads back: then only the drop was missing.
  // Answers the number of the last event.
  async #archive(tx: Tx, due: Due): Promise<number> {
    const before = await store.findArchive(tx, due.partition.name);
    if (before !== undefined) {
      const last = await this.#readBack(due, before).catch(() => undefined);
      if (last !== undefined) return last;
    }
    // With the hash of its last seal: after a copy of the database was taken back, the same numbers are other events, and
    // the file of before still belongs to what was set aside.
    const history = due.seals.at(-1)!.hash.toString('hex', 0, 4);
    const file = `${await prefixOf(tx)}${due.partition.name}-${history}.ndjson.zst`;
    const written = await this.#write(due, file);
    const last = await this.#readBack(due, { ...written, file });
    this.#options.step?.('read_back');
    const { seals, partition } = due;
    // In a transaction of its own: it must stand before the partition goes.
    await this.#options.db.write(fleetScope, (other) =>
      store.saveArchive(other, {
        ...written,
        file,
        partition: partition.name,
        host: hostname(),
        from_seq: seals[0]!.from_seq,
        to_seq: partition.upper_bound - 1,
        first_seal: seals[0]!.number,
        last_seal: seals.at(-1)!.number,
        rows: seals.reduce((sum, seal) => sum + seal.rows, 0),
      }),
    );
    this.#options.step?.('recorded');
    return last;
  }

  async #write(due: Due, name: string): Promise<{ offsets: number[]; bytes: number; counts: store.Counts }> {
    await this.#makeFolder();
    const path = join(this.#folder, name);
    const partial = `${path}.${process.pid}${PARTIAL}`;
    const counting = new Counting();
    const writer = await FrameWriter.create(partial);
    try {
      this.#options.step?.('created');
      for (const seal of due.seals) {
        const lines = await this.#linesOf(seal);
        if (!isAsSealed(seal, lines)) throw await this.#refusal(due.partition, seal, lines);
        for (const line of lines) counting.add(line);
        await writer.add(lines);
        this.#options.step?.('segment');
      }
      await writer.end();
      this.#options.step?.('synced');
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    } finally {
      await writer.close();
    }
    await rename(partial, path);
    await syncDirectory(path);
    this.#options.step?.('renamed');
    return { offsets: writer.offsets, bytes: writer.bytes, counts: counting.counts };
  }

  // On disk with everything above it, before anything in it counts.
  async #makeFolder(): Promise<void> {
    const made = await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    if (made === undefined) return;
    for (let path = this.#folder; path.length >= made.length; path = dirname(path)) await syncDirectory(path);
  }

  async #linesOf(seal: SealOutline): Promise<Line[]> {
    const lines: Line[] = [];
    for (let next = seal.from_seq; ; next = lines.at(-1)!.seq + 1) {
      const page = await this.#options.db.read(fleetScope, (tx) => readLines(tx, next, seal.to_seq, PAGE));
      lines.push(...page);
      if (page.length < PAGE) return lines;
    }
  }

  // Answers the number of the last event in the file; 0 without any. Throws where it is not what was sealed.
  async #readBack(due: Due, { file, offsets, bytes }: Pick<store.Archive, 'file' | 'offsets' | 'bytes'>) {
    const frames = { path: join(this.#folder, file), firstSeal: due.seals[0]!.number, offsets, bytes };
    let last = 0;
    for (const seal of due.seals) {
      const lines = await readFrame(frames, seal);
      if (!isAsSealed(seal, lines)) throw new ArchiveDamaged(`the file does not read back as seal ${seal.number} says`);
      last = lines.at(-1)?.seq ?? last;
    }
    return last;
  }

  // False: somebody writes at this moment and holds the table; the next turn tries again.
  async #drop({ partition, seals }: Due, last: number): Promise<boolean> {
    const { db, log, call } = this.#options;
    const rows = seals.reduce((sum, seal) => sum + seal.rows, 0);
    try {
      await db.write(ownerScope, async (tx) => {
        await store.dropPartition(tx, partition.name, last);
        await log.append(tx, call, [
          logEvents.make('partition.archived', {
            partition: partition.name,
            from_seq: seals[0]!.from_seq,
            to_seq: partition.upper_bound - 1,
            rows,
            host: hostname(),
          }),
        ]);
      });
    } catch (error) {
      if (isAppError(error) && error.code === 'overloaded') return false;
      throw error;
    }
    this.#options.step?.('dropped');
    announce('log.archived', partition.name);
    return true;
  }

  // What a killed archiver left: nobody else writes of this log while this one holds the lock.
  async #removePartials(prefix: string): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const left = names.filter((name) => name.startsWith(prefix) && name.endsWith(PARTIAL));
    for (const name of left) await rm(join(this.#folder, name), { force: true });
  }

  // Once for the same trouble, not each minute.
  async #tell(partition: Partition, error: unknown): Promise<void> {
    const reason = reasonOf(error);
    const trouble = `${partition.name} ${reason}`;
    if (trouble === this.#told) return;
    const { db, log, call } = this.#options;
    const event = logEvents.make('archive.failed', { partition: partition.name, reason, host: hostname() });
    await db.write(fleetScope, (tx) => log.append(tx, call, [event]));
    this.#told = trouble;
    announce('log.archive_failed', reason);
  }

  async #refusal(partition: Partition, { number, from_seq }: SealOutline, lines: readonly Line[]) {
    const seal = await this.#options.db.read(fleetScope, (tx) => findSeal(tx, number));
    const first = rowDifferences(from_seq - 1, seal?.leaves ?? Buffer.alloc(0), lines)[0];
    const where = first === undefined ? '' : `, first at number ${first.seq} (${first.kind})`;
    return new PartitionRefused(`${partition.name} does not agree with seal ${number}${where}`);
  }

  get #folder(): string {
    return join(this.#options.directory, 'log');
  }
}

interface Due {
  readonly partition: Partition;
  readonly seals: readonly SealOutline[];
}

// Several installations may have one directory.
async function prefixOf(tx: Tx): Promise<string> {
  return `${(await logIdentity(tx)).slice(0, 8)}-`;
}

function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'the disk is full';
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}

// How many rows of each type, agent and tenant, so that most questions open no file.
class Counting {
  readonly #parts = {
    types: new Map<string, number>(),
    agents: new Map<string, number>(),
    tenants: new Map<string, number>(),
  };

  add(line: Line): void {
    const { event_type, source_agent, tenant_id } = JSON.parse(line.text.toString()) as Record<string, string>;
    count(this.#parts.types, event_type!);
    count(this.#parts.agents, source_agent!);
    count(this.#parts.tenants, tenant_id!);
  }

  get counts(): store.Counts {
    const known = Object.entries(this.#parts).filter(([, names]) => names.size <= MOST_NAMES);
    return Object.fromEntries(known.map(([part, names]) => [part, Object.fromEntries(names)]));
  }
}

function count(names: Map<string, number>, name: string): void {
  // One above the limit says that there were too many.
  if (names.size <= MOST_NAMES || names.has(name)) names.set(name, (names.get(name) ?? 0) + 1);
}

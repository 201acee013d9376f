// The verbs on what the log is sealed by and where its old part lies: the head, verifying, and reading the archive. For the
// fleet only, because a seal and a file cover the events of every tenant.
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../../platform/call.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import { ArchiveDamaged, readFrame } from './archive/file.ts';
import { passesCounts, passesEvent, passesTime, rowOf } from './archive/filter.ts';
import { type Archive, findArchives } from './archive/store.ts';
import { formatCursor } from './cursor.ts';
import { logErrors } from './errors.ts';
import type { listArchives, readArchive, showHead, verifyLog } from './operations.ts';
import { formatHead } from './seals/canonical.ts';
import * as seals from './seals/store.ts';
import { type Head, type Problem, Verifier } from './seals/verifier.ts';
import { type Log, seqWithin } from './service.ts';
import * as store from './store.ts';

/** How long one answer may take to look; at least one segment is looked at. */
const LONGEST_LOOK_MS = 2_000;
const MOST_PROBLEMS = 200;
const MOST_WAITING = 100_000;

export class LogAudit {
  readonly #log: Log;
  readonly #directory: string | undefined;

  /** `directory`: of all archives, on this machine. */
  constructor(log: Log, directory: string | undefined) {
    this.#log = log;
    this.#directory = directory;
  }

  async head(call: Call): Promise<OutputOf<typeof showHead>> {
    fleetOnly(call);
    const horizon = await call.read(store.readHorizon);
    return call.read(async (tx) => {
      const [last, archived, newest] = await Promise.all([
        seals.lastSeal(tx),
        seals.archivedUpTo(tx),
        store.newestSeq(tx, horizon.seq),
      ]);
      const waiting = await seals.waitingRows(tx, (last?.to_seq ?? 0) + 1, newest, MOST_WAITING);
      const cursor = (seq: number) => formatCursor({ epoch: horizon.epoch, seq });
      return {
        head: last === undefined ? null : formatHead(last.number, last.hash),
        sealed_at: last?.sealed_at ?? null,
        sealed_up_to: last === undefined ? null : cursor(last.to_seq),
        not_yet_sealed: waiting.rows,
        archived_up_to: archived === 0 ? null : cursor(archived),
      };
    });
  }

  async verify(call: Call, input: ParsedInput<typeof verifyLog>): Promise<OutputOf<typeof verifyLog>> {
    fleetOnly(call);
    const head = input.head === undefined ? undefined : parseHead(input.head);
    const verifier = new Verifier(call.read, (archive) => this.#pathOf(archive));
    const deadline = performance.now() + LONGEST_LOOK_MS;
    const problems: Problem[] = [];
    let rows = 0;
    let checked = 0;
    let before = input.after === 0 ? undefined : await call.read((tx) => seals.findSeal(tx, input.after));
    // Of a seal that is gone nothing can be continued; the one after it tells so.
    let number = input.after;
    let isEnd = false;
    while (checked < input.limit && problems.length < MOST_PROBLEMS) {
      const seal = await call.read((tx) => seals.findNextSeal(tx, number));
      isEnd = seal === undefined;
      if (seal === undefined) break;
      problems.push(...(await verifier.check(seal, before)));
      before = seal;
      number = seal.number;
      rows += seal.rows;
      checked++;
      if (performance.now() > deadline || call.signal.aborted) break;
    }
    if (isEnd && head !== undefined) problems.push(...(await verifier.checkHead(head)));
    const { epoch } = await call.read(store.readHorizon);
    return {
      intact: problems.length === 0,
      seals: checked,
      rows,
      problems: problems.map(({ kind, seal, seq, detail }) => ({
        kind,
        seal,
        cursor: seq === null ? null : formatCursor({ epoch, seq }),
        detail,
      })),
      last_seal: before === undefined ? null : formatHead(before.number, before.hash),
      next_after: isEnd ? null : number,
    };
  }

  async archives(call: Call, input: ParsedInput<typeof listArchives>): Promise<OutputOf<typeof listArchives>> {
    fleetOnly(call);
    const { after, cursor, archived } = await this.#position(call, input.after);
    const found = await call.read((tx) => findArchives(tx, after, input.limit));
    const items = await Promise.all(
      found.map(async (archive) => ({
        partition: archive.partition,
        first: cursor(archive.from_seq),
        last: cursor(archive.to_seq),
        first_at: archive.first_at?.toISOString() ?? null,
        last_at: archive.last_at?.toISOString() ?? null,
        events: archive.rows,
        bytes: archive.bytes,
        file: archive.file,
        host: archive.host,
        is_here: await this.#isHere(archive),
        written_at: archive.written_at.toISOString(),
      })),
    );
    return { items, next_cursor: items.length === input.limit ? items.at(-1)!.last : null, as_of: cursor(archived) };
  }

  /** Events out of the archive, oldest first. An answer may be empty and yet go on: it says how far it looked. */
  async read(call: Call, input: ParsedInput<typeof readArchive>): Promise<OutputOf<typeof readArchive>> {
    // The name of another tenant is answered like one that does not exist, before anything else is said.
    const tenantId = input.tenant === undefined ? undefined : await this.#log.tenantId(call, input.tenant);
    fleetOnly(call);
    const filter = { ...input, tenantId };
    const { after, cursor, epoch, archived } = await this.#position(call, input.after);
    const deadline = performance.now() + LONGEST_LOOK_MS;
    const found: store.EventRow[] = [];
    let reached = after;
    while (reached < archived && performance.now() <= deadline && !call.signal.aborted) {
      const [archive] = await call.read((tx) => findArchives(tx, reached, 1));
      if (archive === undefined) break;
      if (!passesCounts(archive, filter) || !passesTime(archive.first_at, archive.last_at, filter)) {
        reached = archive.to_seq;
        continue;
      }
      const seal = await call.read((tx) => seals.findSealBehind(tx, reached));
      if (seal === undefined) break;
      if (passesTime(dateOf(seal.first_at), dateOf(seal.last_at), filter)) {
        for (const line of await this.#linesOf(archive, seal)) {
          if (line.seq <= reached) continue;
          const row = rowOf(line);
          if (passesEvent(row, filter)) found.push(row);
          if (found.length === input.limit) break;
        }
      }
      if (found.length === input.limit) break;
      reached = seal.to_seq;
    }
    const items = await this.#log.toItems(found, epoch);
    const isFull = found.length === input.limit;
    const next = isFull ? items.at(-1)!.cursor : reached < archived ? cursor(reached) : null;
    return { items, next_cursor: next, as_of: cursor(archived) };
  }

  async #linesOf(archive: Archive, seal: seals.Seal) {
    const path = this.#pathOf(archive);
    const { file, host, first_seal: firstSeal, offsets, bytes } = archive;
    try {
      if (path === undefined) throw new ArchiveDamaged('this server has no archive directory');
      return await readFrame({ path, firstSeal, offsets, bytes }, seal);
    } catch (error) {
      const problem = (error as { code?: string }).code === 'ENOENT' ? 'it is not there' : (error as Error).message;
      throw logErrors.archive_unreadable({ file, host, problem }, error);
    }
  }

  async #position(call: Call, after: string | undefined) {
    const horizon = await call.read(store.readHorizon);
    const { epoch } = horizon;
    return {
      epoch,
      after: after === undefined ? 0 : seqWithin(after, horizon),
      archived: await call.read(seals.archivedUpTo),
      cursor: (seq: number) => formatCursor({ epoch, seq }),
    };
  }

  #pathOf(archive: Archive): string | undefined {
    return this.#directory === undefined ? undefined : join(this.#directory, 'log', archive.file);
  }

  async #isHere(archive: Archive): Promise<boolean> {
    const path = this.#pathOf(archive);
    if (path === undefined) return false;
    return stat(path).then(
      ({ size }) => size === archive.bytes,
      () => false,
    );
  }
}

function fleetOnly(call: Call): void {
  if (call.scope.kind !== 'fleet') throw logErrors.fleet_only();
}

function parseHead(text: string): Head {
  const match = /^(?:([1-9][0-9]{0,14})-)?([0-9a-f]{64})$/.exec(text);
  if (match === null) throw logErrors.bad_head({ head: text });
  return { number: match[1] === undefined ? undefined : Number(match[1]), hash: Buffer.from(match[2]!, 'hex') };
}

function dateOf(text: string | null): Date | null {
  return text === null ? null : new Date(text);
}

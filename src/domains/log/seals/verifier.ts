// Reads the log against its seals, in the database and in the archive, and names what differs: which row, which seal.
import type { Tx } from '../../../platform/db/database.ts';
import { ArchiveDamaged, isAsSealed, readFrame } from '../archive/file.ts';
import { type Archive, findArchiveOfSeal } from '../archive/store.ts';
import { formatHead, genesisHash, type Line, rowDifferences, sealHash } from './canonical.ts';
import type { ProblemKind } from './problem-kinds.ts';
import * as store from './store.ts';

export interface Problem {
  readonly kind: ProblemKind;
  readonly seal: number | null;
  readonly seq: number | null;
  readonly detail: string;
}

export interface Head {
  /** Absent where only the hash was kept. */
  readonly number: number | undefined;
  readonly hash: Buffer;
}

type Read = <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;

const PAGE = 200;
/** Of one segment: whoever changed thousands of rows is told by the first ones. */
const MOST_DIFFERENCES = 100;

export class Verifier {
  readonly #read: Read;
  readonly #pathOf: (archive: Archive) => string | undefined;

  /** `pathOf`: where a file would be on this machine. */
  constructor(read: Read, pathOf: (archive: Archive) => string | undefined) {
    this.#read = read;
    this.#pathOf = pathOf;
  }

  /** What is wrong with a seal, its place in the chain, and its rows. `before`: the one that should be before it. */
  async check(seal: store.Seal, before: store.Seal | undefined): Promise<Problem[]> {
    const problems = await this.#checkChain(seal, before);
    try {
      problems.push(...differences(seal, await this.#linesOf(seal)));
    } catch (error) {
      const isUnreadable = error instanceof ArchiveDamaged || typeof (error as { code?: unknown }).code === 'string';
      if (!isUnreadable) throw error;
      problems.push({ kind: 'archive_unreadable', seal: seal.number, seq: null, detail: (error as Error).message });
    }
    return problems;
  }

  /** Whether the chain still holds a head that was kept outside. */
  async checkHead(head: Head): Promise<Problem[]> {
    const { hash, number } = head;
    if (number === undefined) {
      if (await this.#read((tx) => store.hasSealHash(tx, hash))) return [];
      const detail = 'no seal has this hash: the end was cut off, or the chain was made anew';
      return [{ kind: 'head_unknown', seal: null, seq: null, detail }];
    }
    const [seal, last] = await this.#read((tx) => Promise.all([store.findSeal(tx, number), store.lastSeal(tx)]));
    if (seal?.hash.equals(hash)) return [];
    if (seal !== undefined || (last !== undefined && last.number > number)) {
      const detail = `seal ${number} is not ${formatHead(number, hash)}: the chain was made anew at or before it`;
      return [{ kind: 'head_unknown', seal: number, seq: null, detail }];
    }
    const end =
      last === undefined ? 'there is no seal' : `the last seal is ${last.number}, up to number ${last.to_seq}`;
    return [{ kind: 'tail_missing', seal: number, seq: last?.to_seq ?? null, detail: `${end}: what followed is gone` }];
  }

  async #checkChain(seal: store.Seal, before: store.Seal | undefined): Promise<Problem[]> {
    const problems: Problem[] = [];
    const wrong = (kind: ProblemKind, number: number, detail: string) =>
      problems.push({ kind, seal: number, seq: null, detail });
    const expected = (before?.number ?? 0) + 1;
    if (seal.number !== expected) {
      wrong('seal_missing', expected, `between ${expected} and ${seal.number - 1} seals are gone`);
    } else {
      const prev = before?.hash ?? genesisHash(await this.#read(store.logIdentity));
      if (!seal.prev_hash.equals(prev)) wrong('seal_changed', seal.number, 'it does not continue the seal before it');
      if (seal.from_seq !== (before?.to_seq ?? 0) + 1) wrong('seal_changed', seal.number, 'it leaves numbers out');
    }
    if (!sealHash(seal).equals(seal.hash)) wrong('seal_changed', seal.number, 'it does not hash to its own hash');
    return problems;
  }

  async #linesOf(seal: store.Seal): Promise<Line[]> {
    const archivedUpTo = await this.#read(store.archivedUpTo);
    if (seal.from_seq > archivedUpTo) {
      const lines = await this.#rowsOf(seal);
      // The partition may have gone while it was read.
      if (seal.from_seq > (await this.#read(store.archivedUpTo))) return lines;
    }
    const archive = await this.#read((tx) => findArchiveOfSeal(tx, seal.number));
    if (archive === undefined) throw new ArchiveDamaged('no archive is known for it');
    const path = this.#pathOf(archive);
    if (path === undefined) throw new ArchiveDamaged('this server has no archive directory');
    const { first_seal: firstSeal, offsets, bytes } = archive;
    return readFrame({ path, firstSeal, offsets, bytes }, seal);
  }

  async #rowsOf(seal: store.Seal): Promise<Line[]> {
    const lines: Line[] = [];
    for (let next = seal.from_seq; ; next = lines.at(-1)!.seq + 1) {
      const page = await this.#read((tx) => store.readLines(tx, next, seal.to_seq, PAGE));
      lines.push(...page);
      if (page.length < PAGE) return lines;
    }
  }
}

function differences(seal: store.Seal, lines: readonly Line[]): Problem[] {
  if (isAsSealed(seal, lines)) return [];
  const rows = rowDifferences(seal.from_seq - 1, seal.leaves, lines).slice(0, MOST_DIFFERENCES);
  if (rows.length > 0) {
    return rows.map(({ kind, seq }) => ({
      kind,
      seal: seal.number,
      seq,
      detail: `number ${seq} is not as it was sealed`,
    }));
  }
  // Every leaf agrees: then it is the seal that was changed, which its own hash tells, or both were.
  if (!sealHash(seal).equals(seal.hash)) return [];
  const detail = `the rows ${seal.from_seq} to ${seal.to_seq} are not what was sealed`;
  return [{ kind: 'segment_changed', seal: seal.number, seq: null, detail }];
}

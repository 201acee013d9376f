import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { QuarterdeckError } from './errors.ts';
import type { EventAppendInput, EventAppendOutput } from './operations.ts';
import { type EventSink, type Outbox, openOutbox } from './outbox-node.ts';

function newFile(): string {
  const dir = mkdtempSync(join(tmpdir(), 'qd-outbox-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return join(dir, 'events.ndjson');
}

type Event = NonNullable<EventAppendInput['events']>[number];

/** A server that keeps each id once, as the real one does, and can be away, refuse, or lose its answer. */
class Log implements EventSink {
  readonly kept: Event[] = [];
  requests = 0;
  /** Away as soon as it has so many. */
  most = Number.POSITIVE_INFINITY;
  mood: 'well' | 'away' | 'answers_get_lost' = 'well';
  refuses: (event: Event) => boolean = () => false;
  readonly event = {
    append: async ({ events = [] }: EventAppendInput): Promise<EventAppendOutput> => {
      this.requests++;
      if (this.mood === 'away' || this.kept.length >= this.most)
        throw new QuarterdeckError({ code: 'sdk.unreachable', status: 0, detail: '', retryable: true });
      if (events.some(this.refuses)) {
        throw new QuarterdeckError({ code: 'invalid_input', status: 422, detail: 'no', retryable: false });
      }
      for (const event of events) if (!this.kept.some(({ id }) => id === event.id)) this.kept.push(event);
      if (this.mood === 'answers_get_lost') {
        throw new QuarterdeckError({ code: 'sdk.timed_out', status: 0, detail: '', retryable: true });
      }
      return { events: [], durable: 'db' };
    },
  };
  get numbers(): unknown[] {
    return this.kept.map(({ payload }) => payload?.['n']);
  }
}

async function open(path: string, log: Log): Promise<Outbox> {
  const outbox = await openOutbox(path, log);
  onTestFinished(() => outbox.close(0).catch(() => undefined));
  return outbox;
}

describe('an outbox', () => {
  it('keeps events while the server is away and sends them in order when it is back', async () => {
    const log = new Log();
    log.mood = 'away';
    const path = newFile();
    const outbox = await open(path, log);
    for (let n = 0; n < 250; n++) await outbox.emit('a.b', { n });
    expect(outbox.waiting).toBe(250);
    expect(outbox.problem).toMatchObject({ code: 'sdk.unreachable' });
    log.mood = 'well';
    expect(await outbox.flush()).toBe(true);
    expect(log.numbers).toEqual(Array.from({ length: 250 }, (_, n) => n));
    await outbox.close();
    expect(statSync(path).size).toBe(0);
  });

  it('has an event on the disk before it says so, and is empty when all is sent', async () => {
    const path = newFile();
    const log = new Log();
    log.mood = 'away';
    const outbox = await open(path, log);
    await outbox.emit('a.b', { n: 1 }, { subject: 'agent:pricer' });
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ event_type: 'a.b', subject: 'agent:pricer' });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    log.mood = 'well';
    await outbox.flush();
    await outbox.close();
    expect(statSync(path).size).toBe(0);
  });

  it('sends what an earlier process left, once, also when the answers got lost', async () => {
    const path = newFile();
    const log = new Log();
    log.mood = 'answers_get_lost';
    const first = await open(path, log);
    for (let n = 0; n < 5; n++) await first.emit('a.b', { n });
    await vi.waitFor(() => expect(log.requests).toBeGreaterThan(0));
    await first.close(0);
    log.mood = 'well';
    const second = await open(path, log);
    expect(await second.flush()).toBe(true);
    expect(log.numbers).toEqual([0, 1, 2, 3, 4]);
  });

  it('sends exactly a prefix of what was emitted, wherever its file was torn, and goes on behind it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string(), { minLength: 1, maxLength: 12 }),
        fc.nat(),
        fc.nat(),
        async (texts, cut, sent) => {
          const path = newFile();
          const away = new Log();
          away.mood = 'away';
          const dying = await openOutbox(path, away);
          for (const [n, text] of texts.entries()) await dying.emit('a.b', { n, text });
          await dying.close(0);
          const whole = readFileSync(path);
          const ends = [...whole.entries()].filter(([, byte]) => byte === 0x0a).map(([place]) => place + 1);
          // What the server took before the process died, of which the file may know nothing.
          const log = new Log();
          const lines = whole
            .toString()
            .split('\n')
            .slice(0, sent % (texts.length + 1));
          await log.event.append({ events: lines.filter(Boolean).map((line) => JSON.parse(line)) });
          const place = cut % (whole.length + 1);
          truncateSync(path, place);
          const next = await openOutbox(path, log);
          await next.emit('a.b', { n: 'next' });
          expect(await next.flush()).toBe(true);
          await next.close();
          const complete = ends.filter((end) => end <= place).length;
          const known = Math.max(complete, lines.filter(Boolean).length);
          expect(log.numbers).toEqual([...Array.from({ length: known }, (_, n) => n), 'next']);
        },
      ),
      { numRuns: 60 },
    );
  });

  it('survives kill -9 in the middle of its work: what was acknowledged is sent once', async () => {
    const path = newFile();
    const log = new Log();
    const module = new URL('./outbox-node.ts', import.meta.url).href;
    const program = `
      const { openOutbox } = await import('${module}');
      const away = { event: { append: () => Promise.reject(new Error('away')) } };
      const outbox = await openOutbox(${JSON.stringify(path)}, away);
      for (let n = 0; ; n++) { await outbox.emit('a.b', { n }); console.log(n); }`;
    const child = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    const ended = once(child, 'exit');
    onTestFinished(async () => {
      child.kill('SIGKILL');
      await ended;
    });
    let acknowledged = -1;
    for await (const line of createInterface({ input: child.stdout })) {
      acknowledged = Number(line);
      if (acknowledged === 40) child.kill('SIGKILL');
    }
    const outbox = await open(path, log);
    expect(await outbox.flush()).toBe(true);
    expect(acknowledged).toBeGreaterThanOrEqual(40);
    expect(log.numbers.slice(0, acknowledged + 1)).toEqual(Array.from({ length: acknowledged + 1 }, (_, n) => n));
    // At most the one that was under way beyond it.
    expect(log.numbers.length).toBeLessThanOrEqual(acknowledged + 2);
  });

  it('remembers in the middle of a backlog what is sent', async () => {
    const path = newFile();
    const log = new Log();
    log.mood = 'away';
    const first = await open(path, log);
    for (let n = 0; n < 150; n++) await first.emit('a.b', { n });
    // The second batch never gets through.
    log.mood = 'well';
    log.most = 100;
    await vi.waitFor(() => expect(log.kept).toHaveLength(100), { timeout: 10_000 });
    await first.close(0);
    const fresh = new Log();
    const second = await open(path, fresh);
    expect(await second.flush()).toBe(true);
    expect(fresh.numbers).toEqual(Array.from({ length: 50 }, (_, n) => n + 100));
  });

  it('sets aside what the server will never take, and is not held up by it', async () => {
    const path = newFile();
    const log = new Log();
    log.mood = 'away';
    log.refuses = ({ payload }) => payload?.['n'] === 3;
    const outbox = await open(path, log);
    for (let n = 0; n < 8; n++) await outbox.emit('a.b', { n });
    log.mood = 'well';
    expect(await outbox.flush()).toBe(true);
    expect(log.numbers).toEqual([0, 1, 2, 4, 5, 6, 7]);
    expect(JSON.parse(readFileSync(`${path}.refused`, 'utf8'))).toMatchObject({
      code: 'invalid_input',
      event: { payload: { n: 3 } },
    });
  });

  it('fails for what is no JSON, alone', async () => {
    const log = new Log();
    const outbox = await open(newFile(), log);
    const good = outbox.emit('a.b', { n: 1 });
    await expect(outbox.emit('a.b', { n: 1n })).rejects.toThrow('BigInt');
    await good;
    expect(await outbox.flush()).toBe(true);
    expect(log.numbers).toEqual([1]);
  });

  it('is held by one process at a time, and taken over from a dead one', async () => {
    const path = newFile();
    const log = new Log();
    const outbox = await open(path, log);
    await expect(openOutbox(path, log)).rejects.toThrow(`held by process ${process.pid}`);
    await outbox.close();
    writeFileSync(`${path}.lock`, '999999999');
    await (await open(path, log)).close();
    // The pid of this process, left behind by an earlier one.
    writeFileSync(`${path}.lock`, String(process.pid));
    await (await open(path, log)).close();
  });
});

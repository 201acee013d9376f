import fc from 'fast-check';
import picocolors from 'picocolors';
import { expect, it } from 'vitest';
import { displayWidth } from '../plain-text.ts';
import type { Facts } from './facts.ts';
import { draw, lastScroll, type Picture } from './view.ts';

const plain = picocolors.createColors(false);

function picture(counts: { agents: number; needs: number; queues: number; events: number }, text = 'quiet'): Picture {
  const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i));
  const facts = {
    fleet: {
      agents: { total: counts.agents, by_state: { healthy: counts.agents } },
      needs: times(counts.needs, (i) => ({
        severity: 'error',
        subject: `agent-${i}`,
        text,
        command: 'quarterdeck me',
      })),
      events_per_second: 12.345,
    },
    agents: times(counts.agents, (i) => ({
      agent: `agent-${i}`,
      tenant: 'acme',
      state: 'healthy',
      status: text,
      state_reason: text,
    })),
    work: {
      running: 1,
      queued: 2,
      dead_1h: 3,
      oldest_queued_seconds: 200,
      queues: times(counts.queues, (i) => ({ queue: `queue-${i}`, queued: i, running: 0 })),
    },
  } as unknown as Facts;
  const events = times(counts.events, (i) => ({
    cursor: String(i),
    at: '2026-01-01T10:00:00Z',
    source_agent: 'pricer',
    event_type: `price.checked_${i}`,
    subject: text,
  }));
  const now = new Date('2026-01-01T10:00:00Z');
  return { facts, events, url: 'http://127.0.0.1:4600', now, away: undefined, isFrozen: false, scroll: 0 };
}

it('never takes more lines or columns than there are, whatever is in it', () => {
  const count = fc.nat(300);
  fc.assert(
    fc.property(
      fc.record({ agents: count, needs: fc.nat(40), queues: fc.nat(40), events: count }),
      fc.string({ unit: 'binary', maxLength: 60 }),
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 80 }),
      (counts, text, width, height) => {
        const lines = draw(picture(counts, text), { width, height }, plain);
        expect(lines.length).toBeLessThanOrEqual(height);
        expect(Math.max(0, ...lines.map(displayWidth))).toBeLessThanOrEqual(width);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: what must never come out
        expect(lines.join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
      },
    ),
    { numRuns: 60 },
  );
});

it('every agent can be reached by scrolling', () => {
  const all = picture({ agents: 120, needs: 3, queues: 4, events: 50 });
  const seen = new Set<string>();
  const room = { width: 120, height: 30 };
  for (let scroll = 0; scroll <= lastScroll(all, room.height); scroll++) {
    const text = draw({ ...all, scroll }, room, plain).join('\n');
    for (const [name] of text.matchAll(/(?<=^ {2})agent-\d+/gm)) seen.add(name);
  }
  expect(seen.size).toBe(120);
});

it('a snapshot holds everything', () => {
  const text = draw(
    picture({ agents: 40, needs: 12, queues: 9, events: 20 }),
    { width: undefined, height: undefined },
    plain,
  ).join('\n');
  expect(text).toContain('NEEDS YOU 12');
  expect(text).toContain('agent-39');
  expect(text).toContain('queue-8');
  expect(text).toContain('oldest 3m');
  expect(text).toContain('price.checked_9');
});

it('says when what it shows is not of this moment', () => {
  const away = { ...picture({ agents: 1, needs: 0, queues: 0, events: 0 }), away: 'No server answers' };
  expect(draw(away, { width: 100, height: 20 }, plain)[0]).toContain('away: No server answers');
});

it('leaves out what may not be read', () => {
  const full = picture({ agents: 2, needs: 0, queues: 1, events: 3 });
  const little = { ...full, events: undefined, facts: { ...full.facts, agents: undefined, work: undefined } };
  const text = draw(little, { width: 100, height: 20 }, plain).join('\n');
  expect(text).not.toMatch(/EVENTS|QUEUES|AGENTS|Jobs/);
  expect(text).toContain('Fleet  2 agents');
});

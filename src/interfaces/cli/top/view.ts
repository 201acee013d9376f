// The picture of `top` as lines: what there is and how much room, in; text with its styles, out. It knows no terminal.
import type { Colours } from '../colours.ts';
import { displayWidth, escapeControl, fitTo, padTo } from '../plain-text.ts';
import { cellText } from '../show.ts';
import type { EventLine, Facts } from './facts.ts';

type Style = 'bold' | 'dim' | 'red' | 'yellow' | 'green';
type Segment = string | readonly [Style, string];
type Line = readonly Segment[];

export interface Picture {
  readonly facts: Facts;
  /** Newest first; undefined when they may not be read. */
  readonly events: readonly EventLine[] | undefined;
  readonly url: string;
  readonly now: Date;
  /** Why what is shown is not of this moment; undefined when it is. */
  readonly away: string | undefined;
  readonly isFrozen: boolean;
  /** First agent that is shown. */
  readonly scroll: number;
}

export interface Room {
  readonly width: number | undefined;
  /** Undefined: everything, for a snapshot. */
  readonly height: number | undefined;
}

const MOST_NEEDS = 6;
const MOST_QUEUES = 5;
const SNAPSHOT_EVENTS = 10;
const FEWEST_EVENTS = 3;
const KEYS = 'q quit   ↑ ↓ agents   p freeze';

/** Never more lines than there is room for, nor wider ones. */
export function draw(picture: Picture, room: Room, colours: Colours): string[] {
  const { height, width } = room;
  const lines = height === undefined ? everything(picture) : fitted(picture, height);
  return lines.slice(0, height).map((line) => paint(line, width, colours));
}

/** How far down the agents can be scrolled. */
export function lastScroll(picture: Picture, height: number): number {
  return Math.max(0, (picture.facts.agents?.length ?? 0) - agentRows(picture, height));
}

function everything(picture: Picture): Line[] {
  const { facts, events } = picture;
  return [
    ...head(picture),
    ...needs(facts, Number.POSITIVE_INFINITY),
    ...agents(picture, 0, Number.POSITIVE_INFINITY),
    ...queues(facts, Number.POSITIVE_INFINITY),
    ...newest(events, SNAPSHOT_EVENTS),
  ];
}

function fitted(picture: Picture, height: number): Line[] {
  const { facts, events, scroll } = picture;
  const top = [...head(picture), ...needs(facts, MOST_NEEDS)];
  const middle = [...agents(picture, scroll, agentRows(picture, height)), ...queues(facts, MOST_QUEUES)];
  const left = height - top.length - middle.length - 1;
  const lines = [...top, ...middle, ...newest(events, left - 1)].slice(0, Math.max(0, height - 1));
  while (lines.length < height - 1) lines.push([]);
  return [...lines, [['dim', KEYS]]];
}

// Agents take what is left when every other part has its least; the events take the rest of it.
function agentRows({ facts, events }: Picture, height: number): number {
  const others =
    3 +
    needs(facts, MOST_NEEDS).length +
    queues(facts, MOST_QUEUES).length +
    (events === undefined ? 0 : FEWEST_EVENTS + 1) +
    2;
  return Math.max(1, Math.min(facts.agents?.length ?? 0, height - others));
}

function head({ facts, url, now, away, isFrozen }: Picture): Line[] {
  const { fleet, work } = facts;
  const state: Segment =
    away !== undefined ? ['red', `away: ${escapeControl(away)}`] : isFrozen ? ['yellow', 'frozen'] : ['green', 'live'];
  const byState = Object.entries(fleet.agents.by_state)
    .filter(([, count]) => count > 0)
    .flatMap(([name, count]): Segment[] => ['  ', [styleOf(name), `${count} ${escapeControl(name)}`]]);
  const oldest = work?.oldest_queued_seconds;
  const jobs =
    work === undefined
      ? []
      : [
          `   Jobs  ${work.running} running  ${work.queued} queued${oldest == null ? '' : ` (oldest ${age(oldest)})`}`,
          ...(work.dead_1h === 0 ? [] : [['red', `  ${work.dead_1h} dead/1h`] as const]),
        ];
  return [
    [['bold', 'Quarterdeck'], `  ${url}  ${clock(now)}  `, state],
    [`Fleet  ${fleet.agents.total} agents`, ...byState, ...jobs, `   Events  ${fleet.events_per_second.toFixed(1)}/s`],
    [],
  ];
}

function needs({ fleet }: Facts, most: number): Line[] {
  if (fleet.needs.length === 0) return [];
  const shown = fleet.needs.slice(0, most);
  const more = fleet.needs.length - shown.length;
  return [
    [
      ['bold', `NEEDS YOU ${fleet.needs.length}`],
      ['dim', more > 0 ? `   ${more} more: quarterdeck fleet status` : ''],
    ],
    ...shown.map(
      ({ severity, subject, text, command }): Line => [
        [severity === 'error' ? 'red' : 'yellow', severity === 'error' ? 'x ' : '! '],
        `${padTo(cellText(subject), 20)}  ${escapeControl(text)}  `,
        ['dim', escapeControl(command)],
      ],
    ),
    [],
  ];
}

function agents({ facts }: Picture, scroll: number, rows: number): Line[] {
  const { agents: all } = facts;
  if (all === undefined) return [];
  const shown = all.slice(scroll, scroll + rows);
  const range = shown.length < all.length ? `   ${scroll + 1}-${scroll + shown.length} of ${all.length}` : '';
  const names = Math.min(32, Math.max(6, ...shown.map(({ agent }) => displayWidth(cellText(agent)))));
  return [
    [
      ['bold', 'AGENTS'],
      ['dim', range],
    ],
    ...shown.map(
      ({ agent, tenant, state, status: says, state_reason: reason }): Line => [
        `  ${padTo(fitTo(cellText(agent), names), names)}  ${padTo(fitTo(cellText(tenant), 14), 14)}  `,
        [styleOf(state), padTo(state, 8)],
        `  ${state === 'healthy' ? (says === null ? '' : escapeControl(says)) : escapeControl(reason)}`,
      ],
    ),
    [],
  ];
}

function queues({ work }: Facts, most: number): Line[] {
  if (work === undefined || work.queues.length === 0) return [];
  const busiest = [...work.queues].sort((a, b) => b.queued + b.running - (a.queued + a.running)).slice(0, most);
  return [
    [
      ['bold', 'QUEUES'],
      ['dim', busiest.length < work.queues.length ? `   busiest of ${work.queues.length}` : ''],
    ],
    ...busiest.map(
      ({ queue, queued, running }): Line => [
        `  ${padTo(fitTo(cellText(queue), 32), 32)}  ${String(running).padStart(6)} running  ${String(queued).padStart(7)} queued`,
      ],
    ),
    [],
  ];
}

function newest(events: readonly EventLine[] | undefined, rows: number): Line[] {
  if (events === undefined || rows < 1) return [];
  return [
    [['bold', 'EVENTS']],
    ...events
      .slice(0, rows)
      .map(
        ({ at, source_agent: source, event_type: type, subject }): Line => [
          ['dim', `  ${clock(new Date(at))}  `],
          `${padTo(fitTo(cellText(source), 24), 24)}  ${padTo(cellText(type), 28)}  ${cellText(subject)}`,
        ],
      ),
  ];
}

function styleOf(state: string): Style {
  if (state === 'healthy') return 'green';
  return ['crashed', 'silent'].includes(state) ? 'red' : 'yellow';
}

function clock(time: Date): string {
  return Number.isNaN(time.getTime()) ? '--:--:--' : time.toTimeString().slice(0, 8);
}

function age(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)}s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)}m` : `${Math.round(seconds / 3600)}h`;
}

function paint(line: Line, width: number | undefined, colours: Colours): string {
  let left = width ?? Number.POSITIVE_INFINITY;
  let painted = '';
  for (const segment of line) {
    if (left <= 0) break;
    const [style, text] = typeof segment === 'string' ? [undefined, segment] : segment;
    const fits = fitTo(text, left);
    left -= displayWidth(fits);
    painted += style === undefined ? fits : colours[style](fits);
  }
  return width === undefined ? painted.trimEnd() : painted;
}

// The rooms of the rail and the bottom bar. A new room is one line here and one route in router.tsx.
import { ListChecks, type LucideIcon, ScrollText, Ship, UsersRound } from 'lucide-react';
import type { Status } from '../api/routes.ts';
import { words } from './words.ts';

export interface Room {
  readonly path: '/' | '/agents' | '/jobs' | '/events';
  readonly word: string;
  readonly icon: LucideIcon;
  /** Pressed after `g`. */
  readonly key: string;
  /** How many things in it need the operator; shown only when there are some. */
  readonly attention?: (status: Status) => number;
}

export const rooms: readonly Room[] = [
  { path: '/', word: words.rooms.bridge, icon: Ship, key: 'b', attention: (status) => status.needs.length },
  { path: '/agents', word: words.rooms.agents, icon: UsersRound, key: 'a' },
  { path: '/jobs', word: words.rooms.jobs, icon: ListChecks, key: 'j' },
  { path: '/events', word: words.rooms.events, icon: ScrollText, key: 'e' },
];

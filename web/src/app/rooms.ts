// The rooms of the rail and the bottom bar. A new room is one line here and one route in router.tsx.
import {
  BookOpen,
  CalendarClock,
  Gauge,
  KeyRound,
  ListChecks,
  type LucideIcon,
  ScrollText,
  Settings,
  Ship,
  UsersRound,
} from 'lucide-react';
import type { Status } from '../api/routes.ts';
import { words } from './words.ts';

export interface Room {
  readonly path: '/' | '/agents' | '/jobs' | '/channels' | '/schedules' | '/events' | '/access' | '/settings' | '/docs';
  readonly word: string;
  readonly icon: LucideIcon;
  /** Looked at every hour: it has a place of its own in the bottom bar of a phone. */
  readonly isDaily?: true;
  /** Pressed after `g`. */
  readonly key: string;
  /** How many things in it need the operator; shown only when there are some. */
  readonly attention?: (status: Status) => number;
}

export const rooms: readonly Room[] = [
  {
    path: '/',
    word: words.rooms.bridge,
    icon: Ship,
    key: 'b',
    isDaily: true,
    attention: (status) => status.needs.length,
  },
  { path: '/agents', word: words.rooms.agents, icon: UsersRound, key: 'a', isDaily: true },
  { path: '/jobs', word: words.rooms.jobs, icon: ListChecks, key: 'j', isDaily: true },
  { path: '/channels', word: words.rooms.channels, icon: Gauge, key: 'h' },
  { path: '/schedules', word: words.rooms.schedules, icon: CalendarClock, key: 's' },
  { path: '/events', word: words.rooms.events, icon: ScrollText, key: 'e', isDaily: true },
  { path: '/access', word: words.rooms.access, icon: KeyRound, key: 'c' },
  { path: '/settings', word: words.rooms.settings, icon: Settings, key: 'o' },
  { path: '/docs', word: words.rooms.docs, icon: BookOpen, key: 'i' },
];

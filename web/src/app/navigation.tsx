// The rail on wide screens and the bottom bar on a phone: the same rooms.
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useRouterState } from '@tanstack/react-router';
import { Ellipsis, PanelLeftClose, PanelLeftOpen } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { statusQuery } from '../api/queries.ts';
import { IconButton } from '../ui/button.tsx';
import { classes } from '../ui/classes.ts';
import { Logo } from './logo.tsx';
import { MenuContent, MenuItem } from './menu.tsx';
import { type Room, rooms } from './rooms.ts';
import { words } from './words.ts';

const KEY = 'qd.rail';

export function Rail() {
  const [isNarrow, setNarrow] = useState(() => readNarrow());
  const toggle = (): void => {
    setNarrow(!isNarrow);
    try {
      localStorage.setItem(KEY, isNarrow ? 'wide' : 'narrow');
    } catch {
      // Without storage the choice holds until the page is left.
    }
  };
  return (
    <nav
      aria-label={words.rooms.label}
      className={classes(
        'flex shrink-0 flex-col border-r border-line bg-panel phone:hidden',
        isNarrow ? 'w-[52px]' : 'w-[184px]',
      )}
    >
      <Link to="/" className="flex h-12 items-center gap-2.5 px-3.5 font-semibold" aria-label={words.product}>
        <Logo />
        {!isNarrow && words.product}
      </Link>
      <ul className="flex flex-1 flex-col gap-0.5 px-2 pt-1">
        {rooms.map((room) => (
          <li key={room.path}>
            <RailLink room={room} isNarrow={isNarrow} />
          </li>
        ))}
      </ul>
      <div className="p-2.5">
        <IconButton label={isNarrow ? words.expand : words.collapse} onClick={toggle} aria-expanded={!isNarrow}>
          {isNarrow ? <PanelLeftOpen size={16} /> : <PanelLeftClose size={16} />}
        </IconButton>
      </div>
    </nav>
  );
}

function RailLink({ room, isNarrow }: { room: Room; isNarrow: boolean }) {
  const count = useAttention(room);
  return (
    <Link
      to={room.path}
      activeOptions={{ exact: room.path === '/', includeSearch: false }}
      {...(isNarrow ? { title: room.word, 'aria-label': labelOf(room, count) } : {})}
      className="relative flex h-8 items-center gap-2.5 rounded-control px-2.5 text-muted hover:bg-raised hover:text-fg data-[status=active]:bg-raised data-[status=active]:font-medium data-[status=active]:text-fg"
    >
      <room.icon aria-hidden="true" size={16} className="shrink-0" />
      {!isNarrow && room.word}
      <Count count={count} isNarrow={isNarrow} />
    </Link>
  );
}

export function BottomBar() {
  return (
    <nav
      aria-label={words.rooms.label}
      className="hidden shrink-0 border-t border-line bg-panel pb-[env(safe-area-inset-bottom)] phone:flex"
    >
      {rooms
        .filter((room) => room.isDaily)
        .map((room) => (
          <BottomLink key={room.path} room={room} />
        ))}
      <MoreRooms />
    </nav>
  );
}

const bottomItem =
  'relative flex min-h-14 flex-1 flex-col items-center justify-center gap-0.5 text-caption text-muted data-[status=active]:font-semibold data-[status=active]:text-accent';

/** What has no place of its own in the bar. */
function MoreRooms() {
  const navigate = useNavigate();
  const more = rooms.filter((room) => !room.isDaily);
  const here = useRouterState({ select: (state) => state.location.pathname });
  const isHere = more.some((room) => here === room.path || here.startsWith(`${room.path}/`));
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={bottomItem} data-status={isHere ? 'active' : undefined}>
        <Ellipsis aria-hidden="true" size={20} />
        {words.rooms.more}
      </DropdownMenu.Trigger>
      <MenuContent side="top">
        {more.map((room) => (
          <MenuItem key={room.path} onSelect={() => void navigate({ to: room.path })}>
            <room.icon aria-hidden="true" size={16} className="w-5 text-muted" />
            {room.word}
          </MenuItem>
        ))}
      </MenuContent>
    </DropdownMenu.Root>
  );
}

function BottomLink({ room }: { room: Room }) {
  const count = useAttention(room);
  return (
    <Link to={room.path} activeOptions={{ exact: room.path === '/', includeSearch: false }} className={bottomItem}>
      <span className="relative">
        <room.icon aria-hidden="true" size={20} />
        <Count count={count} isNarrow />
      </span>
      {room.word}
      {count > 0 && <span className="sr-only">, {words.needs(count)}</span>}
    </Link>
  );
}

function Count({ count, isNarrow }: { count: number; isNarrow: boolean }) {
  if (count === 0) return null;
  return (
    <span
      aria-hidden={isNarrow}
      title={words.needs(count)}
      className={classes(
        'rounded-full border border-err bg-panel px-1.5 text-caption font-semibold text-err',
        isNarrow ? 'absolute -top-1.5 left-3.5 leading-3.5' : 'ml-auto',
      )}
    >
      {count}
    </span>
  );
}

function useAttention(room: Room): number {
  const status = useQuery({ ...statusQuery, enabled: room.attention !== undefined }).data;
  return status === undefined ? 0 : (room.attention?.(status) ?? 0);
}

function labelOf(room: Room, count: number): string {
  return count === 0 ? room.word : `${room.word}, ${words.needs(count)}`;
}

function readNarrow(): boolean {
  try {
    const stored = localStorage.getItem(KEY);
    return stored === null ? innerWidth < 1024 : stored === 'narrow';
  } catch {
    return false;
  }
}

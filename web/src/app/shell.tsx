// The frame around every page: rail, header, banners, bottom bar, and the keys that work everywhere.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { CirclePause, Search } from 'lucide-react';
import { type ReactNode, useEffect, useState } from 'react';
import { meQuery } from '../api/queries.ts';
import { useLiveStore } from '../live/live.tsx';
import { buttonClasses, IconButton } from '../ui/button.tsx';
import { Confirmer } from '../ui/confirmer.tsx';
import { Toaster } from '../ui/toaster.tsx';
import { Banners } from './banners.tsx';
import { OperatorMenu, ThemeMenu } from './header-menus.tsx';
import { KeyHelp, Keys } from './key-help.tsx';
import { listenToKeys, useKeys } from './keyboard.ts';
import { LiveBadge } from './live-badge.tsx';
import { Logo } from './logo.tsx';
import { BottomBar, Rail } from './navigation.tsx';
import { Palette } from './palette.tsx';
import { openPauseWork, PauseWork } from './pause-work.tsx';
import { rooms } from './rooms.ts';
import { words } from './words.ts';

export function Shell({ children }: { children: ReactNode }) {
  const navigate = useNavigate();
  const live = useLiveStore();
  const [isPaletteOpen, setPaletteOpen] = useState(false);
  const [isHelpOpen, setHelpOpen] = useState(false);
  useEffect(listenToKeys, []);
  useKeys([
    { keys: 'Mod k', words: words.keys.palette, run: () => setPaletteOpen((open) => !open) },
    { keys: '/', words: words.keys.filter, run: focusFilter },
    { keys: '?', words: words.keys.help, run: () => setHelpOpen(true) },
    { keys: 'l', words: words.keys.live, run: live.togglePause },
    ...rooms.map((room) => ({
      keys: `g ${room.key}`,
      words: words.keys.go(room.word),
      run: () => void navigate({ to: room.path }),
    })),
  ]);
  return (
    <div className="flex h-full">
      <a
        href="#content"
        className="sr-only z-50 rounded-control bg-accent px-3 py-1.5 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
      >
        {words.skip}
      </a>
      <Rail />
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-panel px-4 phone:h-14 phone:gap-1 phone:px-3">
          <span className="mr-1 hidden phone:block">
            <Logo />
          </span>
          <LiveBadge />
          <div className="ml-auto flex items-center gap-1">
            <button
              type="button"
              onClick={() => setPaletteOpen(true)}
              className={buttonClasses(
                'plain',
                'mr-1 font-normal text-muted phone:mr-0 phone:w-11 phone:border-transparent phone:px-0',
              )}
            >
              <Search aria-hidden="true" size={14} className="shrink-0 phone:size-[18px]" />
              <span className="flex items-center gap-2 phone:sr-only">
                {words.search}
                <span className="flex gap-0.5">
                  <Keys keys="Mod k" />
                </span>
              </span>
            </button>
            <PauseButton />
            <ThemeMenu />
            <OperatorMenu onHelp={() => setHelpOpen(true)} />
          </div>
        </header>
        <Banners />
        <main id="content" tabIndex={-1} className="flex min-h-0 flex-1 flex-col outline-none">
          {children}
        </main>
        <BottomBar />
      </div>
      <Palette open={isPaletteOpen} onOpenChange={setPaletteOpen} onHelp={() => setHelpOpen(true)} />
      <KeyHelp open={isHelpOpen} onOpenChange={setHelpOpen} />
      <PauseWork />
      <Confirmer />
      <Toaster />
    </div>
  );
}

// On a phone it stands in the operator's menu.
function PauseButton() {
  const mayWrite = useQuery(meQuery).data?.abilities.includes('work:write') ?? false;
  if (!mayWrite) return null;
  return (
    <IconButton label={words.pause.all} className="phone:hidden" onClick={() => openPauseWork()}>
      <CirclePause size={16} />
    </IconButton>
  );
}

// A page marks its filter; there is at most one on a screen.
function focusFilter(): void {
  document.querySelector<HTMLInputElement>('[data-filter]')?.focus();
}

// The palette: jump to a page or an agent by name, or run a command, without the mouse.
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { CirclePause, Keyboard, LogOut, Pause, Play, Radio, RotateCw, SunMoon } from 'lucide-react';
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { agentsQuery } from '../api/queries.ts';
import { useLiveStore } from '../live/live.tsx';
import { useAgentActions } from '../pages/agents/actions.ts';
import { useReturnFocus } from '../ui/return-focus.ts';
import { lookOf, StateIcon } from '../ui/state.tsx';
import { useSignOut } from './header-menus.tsx';
import { Keys } from './key-help.tsx';
import { openPauseWork } from './pause-work.tsx';
import { rooms } from './rooms.ts';
import { chooseTheme, themeChoices } from './theme.ts';
import { words } from './words.ts';

interface PaletteProps {
  readonly open: boolean;
  readonly onOpenChange: (open: boolean) => void;
  readonly onHelp: () => void;
}

export function Palette({ open, onOpenChange, onHelp }: PaletteProps) {
  const focus = useReturnFocus();
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade fixed inset-0 z-40 bg-veil" />
        <Dialog.Content
          {...focus}
          aria-describedby={undefined}
          className="fixed top-[10vh] left-1/2 z-40 w-[min(600px,calc(100vw-24px))] -translate-x-1/2 overflow-hidden rounded-panel border border-line bg-panel shadow-float outline-none"
        >
          <Dialog.Title className="sr-only">{words.palette.title}</Dialog.Title>
          <Body onDone={() => onOpenChange(false)} onHelp={onHelp} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Body({ onDone, onHelp }: { onDone: () => void; onHelp: () => void }) {
  const navigate = useNavigate();
  const agents = useQuery(agentsQuery).data?.items ?? [];
  const actions = useAgentActions();
  const live = useLiveStore();
  const signOut = useSignOut();
  const doing = (run: () => void) => (): void => {
    onDone();
    run();
  };
  return (
    <Command label={words.palette.title} loop>
      <Command.Input
        placeholder={words.palette.placeholder}
        className="h-12 w-full border-b border-line bg-transparent px-4 text-strong outline-none placeholder:text-muted"
      />
      <Command.List className="max-h-[min(420px,60vh)] overflow-y-auto p-1.5 [&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:pt-2 [&_[cmdk-group-heading]]:pb-1 [&_[cmdk-group-heading]]:text-caption [&_[cmdk-group-heading]]:font-semibold [&_[cmdk-group-heading]]:text-muted [&_[cmdk-group-heading]]:uppercase">
        <Command.Empty className="px-2 py-8 text-center text-muted">{words.palette.none}</Command.Empty>
        <Command.Group heading={words.palette.go}>
          {rooms.map((room) => (
            <Row
              key={room.path}
              value={room.word}
              keys={`g ${room.key}`}
              onSelect={doing(() => void navigate({ to: room.path }))}
            >
              <room.icon aria-hidden="true" size={15} className="text-muted" />
              {room.word}
            </Row>
          ))}
        </Command.Group>
        <Command.Group heading={words.palette.agents}>
          {agents.map((agent) => (
            <Row
              key={agent.address}
              value={`${agent.address} ${agent.tenant}`}
              onSelect={doing(() => void navigate({ to: '/agents/$agent', params: { agent: agent.address } }))}
            >
              <StateIcon look={lookOf(agent.state)} size={15} />
              {agent.agent}
              <span className="text-muted">{agent.tenant}</span>
              <span className="ml-auto text-caption text-muted">{lookOf(agent.state).word}</span>
            </Row>
          ))}
        </Command.Group>
        <Command.Group heading={words.palette.commands}>
          {agents.map((agent) => {
            const isHeld = agent.desired !== 'run';
            const text = isHeld ? words.palette.resume(agent.address) : words.palette.pause(agent.address);
            return (
              <Row key={`pause ${agent.address}`} value={text} onSelect={doing(() => actions.togglePause(agent))}>
                {isHeld ? <Play aria-hidden="true" size={15} /> : <Pause aria-hidden="true" size={15} />}
                {text}
              </Row>
            );
          })}
          {agents
            .filter((agent) => agent.kind === 'process')
            .map((agent) => (
              <Row
                key={`restart ${agent.address}`}
                value={words.palette.restart(agent.address)}
                onSelect={doing(() => actions.restart(agent))}
              >
                <RotateCw aria-hidden="true" size={15} />
                {words.palette.restart(agent.address)}
              </Row>
            ))}
          <Row value={words.pause.all} onSelect={doing(openPauseWork)}>
            <CirclePause aria-hidden="true" size={15} /> {words.pause.all}
          </Row>
          <Row value={words.palette.toggleLive} keys="l" onSelect={doing(live.togglePause)}>
            <Radio aria-hidden="true" size={15} /> {words.palette.toggleLive}
          </Row>
          <Row value={words.palette.help} keys="?" onSelect={doing(onHelp)}>
            <Keyboard aria-hidden="true" size={15} /> {words.palette.help}
          </Row>
          <Row value={words.palette.signOut} onSelect={doing(signOut)}>
            <LogOut aria-hidden="true" size={15} /> {words.palette.signOut}
          </Row>
        </Command.Group>
        <Command.Group heading={words.palette.appearance}>
          {themeChoices.map((name) => (
            <Row key={name} value={words.palette.theme(words.theme[name])} onSelect={doing(() => chooseTheme(name))}>
              <SunMoon aria-hidden="true" size={15} /> {words.palette.theme(words.theme[name])}
            </Row>
          ))}
        </Command.Group>
      </Command.List>
    </Command>
  );
}

interface RowProps {
  readonly value: string;
  readonly keys?: string;
  readonly onSelect: () => void;
  readonly children: ReactNode;
}

function Row({ value, keys, onSelect, children }: RowProps) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex min-h-8 items-center gap-2.5 rounded-control px-2 data-[selected=true]:bg-raised phone:min-h-11"
    >
      {children}
      {keys !== undefined && (
        <span className="ml-auto flex gap-1">
          <Keys keys={keys} />
        </span>
      )}
    </Command.Item>
  );
}

// States: always a shape, a word and a colour together, so that none of them carries the meaning alone.
import {
  CircleCheck,
  CircleDashed,
  CirclePause,
  CircleStop,
  HeartPulse,
  type LucideProps,
  TriangleAlert,
} from 'lucide-react';
import type { ComponentType } from 'react';
import type { AgentState } from '../api/routes.ts';
import { classes } from './classes.ts';
import { FailedIcon } from './failed-icon.tsx';

export type Tone = 'ok' | 'run' | 'warn' | 'err' | 'pause' | 'wait';

export interface StateLook {
  readonly word: string;
  readonly tone: Tone;
  readonly icon: ComponentType<LucideProps>;
}

export const toneText: Record<Tone, string> = {
  ok: 'text-ok',
  run: 'text-run',
  warn: 'text-warn',
  err: 'text-err',
  pause: 'text-pause',
  wait: 'text-wait',
};

export const agentLooks: Record<AgentState, StateLook> = {
  healthy: { word: 'Healthy', tone: 'ok', icon: CircleCheck },
  late: { word: 'Late', tone: 'warn', icon: TriangleAlert },
  healing: { word: 'Healing', tone: 'warn', icon: HeartPulse },
  silent: { word: 'Silent', tone: 'err', icon: FailedIcon },
  paused: { word: 'Paused', tone: 'pause', icon: CirclePause },
  crashed: { word: 'Crashed', tone: 'err', icon: FailedIcon },
  stopped: { word: 'Stopped', tone: 'wait', icon: CircleStop },
  unknown: { word: 'Unknown', tone: 'wait', icon: CircleDashed },
};

export function lookOf(state: string): StateLook {
  return agentLooks[state as AgentState] ?? { word: state, tone: 'wait', icon: CircleDashed };
}

export function StateIcon({ look, size = 14, className }: { look: StateLook; size?: number; className?: string }) {
  const Icon = look.icon;
  return (
    <Icon
      aria-hidden="true"
      size={size}
      strokeWidth={2.25}
      className={classes('shrink-0', toneText[look.tone], className)}
    />
  );
}

export function StateBadge({ state }: { state: string }) {
  return <LookBadge look={lookOf(state)} state={state} />;
}

export function LookBadge({ look, state }: { look: StateLook; state: string }) {
  return (
    <span className={classes('inline-flex items-center gap-1.5 font-medium', toneText[look.tone])} data-state={state}>
      <StateIcon look={look} />
      {look.word}
    </span>
  );
}

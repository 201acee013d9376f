// The states of jobs: shape, word and colour together.
import { Ban, CircleCheck, CircleDashed, CircleHelp, CirclePlay, Clock } from 'lucide-react';
import type { JobState } from '../../api/routes.ts';
import { FailedIcon } from '../../ui/failed-icon.tsx';
import { LookBadge, type StateLook } from '../../ui/state.tsx';
import { words } from './words.ts';

export const jobLooks: Record<JobState, StateLook> = {
  scheduled: { word: words.states.scheduled, tone: 'wait', icon: Clock },
  queued: { word: words.states.queued, tone: 'wait', icon: CircleDashed },
  awaiting_approval: { word: words.states.awaiting_approval, tone: 'pause', icon: CircleHelp },
  running: { word: words.states.running, tone: 'run', icon: CirclePlay },
  done: { word: words.states.done, tone: 'ok', icon: CircleCheck },
  dead: { word: words.states.dead, tone: 'err', icon: FailedIcon },
  cancelled: { word: words.states.cancelled, tone: 'wait', icon: Ban },
};

/** A state of a newer server than this page is shown as it is called there. */
export function lookOfJob(state: string): StateLook {
  return jobLooks[state as JobState] ?? { word: state, tone: 'wait', icon: CircleDashed };
}

export function JobBadge({ state }: { state: string }) {
  return <LookBadge look={lookOfJob(state)} state={state} />;
}

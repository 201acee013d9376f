// Pause, resume and restart of one agent, as small buttons.
import { Pause, Play, RotateCw } from 'lucide-react';
import type { AddressedAgent } from '../../api/queries.ts';
import { IconButton } from '../../ui/button.tsx';
import { useAgentActions } from './actions.ts';
import { words } from './words.ts';

export function AgentButtons({ agent }: { agent: AddressedAgent }) {
  const actions = useAgentActions();
  const isHeld = agent.desired !== 'run';
  return (
    <span className="inline-flex gap-0.5">
      <IconButton
        label={`${isHeld ? words.actions.resume : words.actions.pause} ${agent.agent}`}
        onClick={() => actions.togglePause(agent)}
      >
        {isHeld ? <Play size={14} /> : <Pause size={14} />}
      </IconButton>
      <IconButton
        label={agent.kind === 'process' ? `${words.actions.restart} ${agent.agent}` : words.actions.notSupervised}
        disabled={agent.kind !== 'process'}
        className="disabled:opacity-40"
        onClick={() => actions.restart(agent)}
      >
        <RotateCw size={14} />
      </IconButton>
    </span>
  );
}

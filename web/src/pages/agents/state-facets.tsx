// The states above an agent list, each with how many agents it would show; several can be chosen.
import type { AgentState } from '../../api/routes.ts';
import { classes } from '../../ui/classes.ts';
import { agentLooks, StateIcon } from '../../ui/state.tsx';
import { stateOrder } from '../../ui/state-order.ts';
import { words } from './words.ts';

interface StateFacetsProps {
  readonly counts: ReadonlyMap<AgentState, number>;
  readonly chosen: ReadonlySet<string>;
  readonly onChoose: (states: readonly string[]) => void;
}

const chip =
  'inline-flex h-7 items-center gap-1.5 rounded-full border px-2.5 whitespace-nowrap hover:bg-raised phone:h-11 phone:px-3.5 aria-pressed:border-accent aria-pressed:bg-raised';

export function StateFacets({ counts, chosen, onChoose }: StateFacetsProps) {
  const shown = stateOrder.filter((state) => (counts.get(state) ?? 0) > 0 || chosen.has(state));
  const all = [...counts.values()].reduce((sum, n) => sum + n, 0);
  const toggle = (state: string): void => {
    onChoose(chosen.has(state) ? [...chosen].filter((other) => other !== state) : [...chosen, state]);
  };
  return (
    <fieldset className="-mx-1 flex min-w-0 gap-1.5 overflow-x-auto p-1">
      <legend className="sr-only">{words.columns.state}</legend>
      <button
        type="button"
        aria-pressed={chosen.size === 0}
        className={classes(chip, 'border-line')}
        onClick={() => onChoose([])}
      >
        {words.allStates} <span className="figures text-muted">{all}</span>
      </button>
      {shown.map((state) => (
        <button
          key={state}
          type="button"
          aria-pressed={chosen.has(state)}
          className={classes(chip, 'border-line')}
          onClick={() => toggle(state)}
        >
          <StateIcon look={agentLooks[state]} size={13} />
          {agentLooks[state].word} <span className="figures text-muted">{counts.get(state) ?? 0}</span>
        </button>
      ))}
    </fieldset>
  );
}

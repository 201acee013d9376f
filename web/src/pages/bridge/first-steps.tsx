// What to do when there is no agent yet. A step ticks itself off when it has happened.
import { Circle, CircleCheck } from 'lucide-react';
import type { ReactNode } from 'react';
import { Command } from '../../ui/copy.tsx';
import { Panel } from '../../ui/panel.tsx';
import { sampleCommand } from '../events/sample.ts';
import { useEvents } from '../events/use-events.ts';
import { words } from './words.ts';

const rooms = new Set([
  'log',
  'access',
  'work',
  'fleet',
  'relay',
  'knowledge',
  'projects',
  'runs',
  'sites',
  'guardian',
]);
const everything = {};

export function FirstSteps() {
  const w = words.first;
  // Events of the system itself are not the operator's first.
  const hasEvent = useEvents(everything, undefined).events.some(
    (event) => !rooms.has(event.event_type.split('.', 1)[0] ?? ''),
  );
  return (
    <Panel title={w.title}>
      <ol>
        <Step word={w.example} text={w.exampleText} isDone={false} commands={['bin/up --example harbour']} />
        <Step word={w.agent} text={w.agentText} isDone={false} commands={['quarterdeck agent add scout']} />
        <Step word={w.event} text={w.eventText} isDone={hasEvent} commands={[sampleCommand]} />
      </ol>
    </Panel>
  );
}

interface StepProps {
  readonly word: string;
  readonly text: ReactNode;
  readonly isDone: boolean;
  readonly commands: readonly string[];
}

function Step({ word, text, isDone, commands }: StepProps) {
  return (
    <li className="flex gap-3 border-b border-line p-3 last:border-0">
      {isDone ? (
        <CircleCheck size={18} className="mt-0.5 shrink-0 text-ok" aria-label={words.first.done} />
      ) : (
        <Circle size={18} className="mt-0.5 shrink-0 text-muted" aria-label={words.first.open} />
      )}
      <div className="min-w-0 flex-1">
        <p className="font-semibold">{word}</p>
        <p className="mb-2 text-muted">{text}</p>
        {commands.map((command) => (
          <Command key={command} text={command} />
        ))}
      </div>
    </li>
  );
}

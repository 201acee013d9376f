// What needs the operator, worst first, each with what can be done about it here.
import { Link } from '@tanstack/react-router';
import { CircleCheck, RotateCw, TriangleAlert } from 'lucide-react';
import type { AddressedAgent } from '../../api/queries.ts';
import type { Need, Status } from '../../api/routes.ts';
import { Button, buttonClasses } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { FailedIcon } from '../../ui/failed-icon.tsx';
import { Panel } from '../../ui/panel.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { Ago } from '../../ui/time.tsx';
import { useAgentActions } from '../agents/actions.ts';
import { words } from './words.ts';

interface NeedsYouProps {
  readonly status: Status | undefined;
  readonly agents: readonly AddressedAgent[];
}

export function NeedsYou({ status, agents }: NeedsYouProps) {
  if (status === undefined) {
    return (
      <Panel title={words.needs.title}>
        <RowSkeletons rows={1} />
      </Panel>
    );
  }
  if (status.needs.length === 0) {
    return (
      <p className="flex items-center gap-2 rounded-panel border border-line bg-panel px-3 py-2" data-needs="0">
        <CircleCheck aria-hidden="true" size={15} className="shrink-0 text-ok" />
        <span className="font-medium">{words.needs.none}</span>
        <span className="text-muted">{words.needs.noneText(status.agents.total)}</span>
      </p>
    );
  }
  const worstFirst = [...status.needs].sort((a, b) => a.severity.localeCompare(b.severity));
  return (
    <Panel title={`${words.needs.title} (${status.needs.length})`} className="border-l-2 border-l-err">
      <ul data-needs={status.needs.length}>
        {worstFirst.map((need) => (
          <NeedRow key={`${need.kind} ${need.tenant} ${need.subject} ${need.text}`} need={need} agents={agents} />
        ))}
      </ul>
    </Panel>
  );
}

function NeedRow({ need, agents }: { need: Need; agents: readonly AddressedAgent[] }) {
  const actions = useAgentActions();
  const isError = need.severity === 'error';
  const Icon = isError ? FailedIcon : TriangleAlert;
  const name = need.subject.replace(/^\w+:/, '');
  const agent =
    need.kind === 'agent' ? agents.find((item) => item.agent === name && item.tenant === need.tenant) : undefined;
  return (
    <li
      className="flex items-center gap-3 border-b border-line px-3 py-1.5 last:border-0 phone:flex-wrap"
      data-need={need.subject}
    >
      <Icon aria-hidden="true" size={15} className={`shrink-0 ${isError ? 'text-err' : 'text-warn'}`} />
      <span className="sr-only">{words.needs.severity[need.severity]}</span>
      <span className="min-w-28 font-medium phone:flex-1">{name}</span>
      <span className="text-muted phone:hidden">{need.tenant}</span>
      <span className="min-w-0 flex-1 [overflow-wrap:anywhere] phone:order-1 phone:basis-full">
        {need.text.startsWith(`${name} is `) ? need.text.slice(name.length + 4) : need.text}
      </span>
      {need.since !== null && (
        <span className="text-caption text-muted">
          <Ago at={need.since} />
        </span>
      )}
      <span className="flex items-center justify-end gap-1 phone:order-2 phone:basis-full">
        <CopyButton label={`${need.command}`} text={need.command} />
        {agent?.kind === 'process' && (
          <Button onClick={() => actions.restart(agent)}>
            <RotateCw aria-hidden="true" size={13} /> {words.needs.restart}
          </Button>
        )}
        {agent !== undefined && (
          <Link to="/agents/$agent" params={{ agent: agent.address }} className={buttonClasses()}>
            {words.needs.open}
          </Link>
        )}
        {need.kind === 'job' && (
          <Link to="/jobs/$job" params={{ job: name }} className={buttonClasses()}>
            {words.needs.open}
          </Link>
        )}
      </span>
    </li>
  );
}

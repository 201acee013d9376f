// What is known of an agent, as terms and values: its health, its process and its configuration.
import { Link } from '@tanstack/react-router';
import type { Agent, AgentDetail } from '../../api/routes.ts';
import { Fact, FactGroup } from '../../ui/facts.tsx';
import { StateBadge } from '../../ui/state.tsx';
import { Ago, Elapsed } from '../../ui/time.tsx';
import { durationWords } from '../../ui/time-words.ts';
import { words } from './words.ts';

type Facts = Agent & Partial<Pick<AgentDetail, 'command' | 'cwd' | 'restart'>>;

export function AgentFacts({ agent }: { agent: Facts }) {
  const f = words.facts;
  return (
    <div className="grid gap-x-8 gap-y-2 p-4 [grid-template-columns:repeat(auto-fit,minmax(280px,1fr))]">
      <FactGroup title={f.health}>
        <Fact term={f.state}>
          <StateBadge state={agent.state} />
          <span className="block text-muted">{agent.state_reason}</span>
        </Fact>
        <Fact term={f.lastSeen}>{agent.last_seen === null ? words.never : <Ago at={agent.last_seen} />}</Fact>
        <Fact term={f.silence}>{durationWords(agent.silence_limit_seconds)}</Fact>
        <Fact term={f.status}>{agent.status}</Fact>
        <Fact term={f.job}>
          {agent.job !== null && (
            <Link to="/jobs/$job" params={{ job: agent.job }} className="font-mono text-accent hover:underline">
              {agent.job}
            </Link>
          )}
        </Fact>
        <Fact term={f.desired}>{agent.desired}</Fact>
        <Fact term={f.desiredBy}>{agent.desired_by}</Fact>
        <Fact term={f.desiredReason}>{agent.desired_reason}</Fact>
      </FactGroup>
      <FactGroup title={f.process}>
        <Fact term={f.host}>{agent.host}</Fact>
        <Fact term={f.pid}>{agent.pid}</Fact>
        <Fact term={f.started}>{agent.started_at !== null && <Ago at={agent.started_at} />}</Fact>
        <Fact term={words.upFor}>
          {agent.started_at !== null && agent.pid !== null && <Elapsed since={agent.started_at} />}
        </Fact>
        <Fact term={f.restarts}>{agent.restarts}</Fact>
        <Fact term={f.exit}>{agent.exit}</Fact>
        <Fact term={f.version}>{agent.version}</Fact>
      </FactGroup>
      <FactGroup title={f.config}>
        <Fact term={f.tenant}>{agent.tenant}</Fact>
        <Fact term={f.kind}>{agent.kind}</Fact>
        <Fact term={f.origin}>{agent.declared ? f.declared : f.registered}</Fact>
        <Fact term={f.queues}>{agent.queues.join(', ')}</Fact>
        <Fact term={f.command}>
          {agent.command != null && <code className="font-mono">{agent.command.join(' ')}</code>}
        </Fact>
        <Fact term={f.cwd}>{agent.cwd != null && <code className="font-mono">{agent.cwd}</code>}</Fact>
        <Fact term={f.restart}>{agent.restart}</Fact>
        <Fact term={f.created}>
          <Ago at={agent.created_at} />
        </Fact>
      </FactGroup>
    </div>
  );
}

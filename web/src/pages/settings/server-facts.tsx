// What runs: version, place, database, and the parts of this machine with whether they answer.
import { CircleCheck, TriangleAlert } from 'lucide-react';
import type { Server } from '../../api/routes.ts';
import { useNow } from '../../ui/clock.ts';
import { Fact } from '../../ui/facts.tsx';
import { Panel } from '../../ui/panel.tsx';
import { Ago } from '../../ui/time.tsx';
import { exactWords } from '../../ui/time-words.ts';
import { words } from './words.ts';

export function ServerFacts({ server }: { server: Server }) {
  const w = words.server;
  return (
    <Panel title={w.title}>
      <dl className="px-3 py-1">
        <Fact term={w.version}>{server.version}</Fact>
        <Fact term={w.node}>{w.nodeWords(server.node)}</Fact>
        <Fact term={w.data}>
          <code className="font-mono text-[12px]">{server.data_dir}</code>
        </Fact>
        <Fact term={w.database}>{w[server.database]}</Fact>
        <Fact term={w.time}>
          <ServerTime />
        </Fact>
      </dl>
    </Panel>
  );
}

function ServerTime() {
  const now = new Date(useNow());
  return <time dateTime={now.toISOString()}>{exactWords(now).replace(/\.\d+/, '')}</time>;
}

export function Parts({ parts }: { parts: Server['parts'] }) {
  const w = words.parts;
  return (
    <Panel title={w.title}>
      {parts.length === 0 && <p className="px-3 py-3 text-muted">{w.none}</p>}
      <ul className="px-3 py-1">
        {parts.map((part) => (
          <li
            key={`${part.part} ${part.pid}`}
            data-part={part.part}
            data-ready={part.ready}
            className="flex flex-wrap items-center gap-x-3 border-b border-line py-1.5 last:border-0"
          >
            <span className="w-20 font-medium">{part.part}</span>
            <span className={`inline-flex items-center gap-1.5 ${part.ready ? 'text-ok' : 'text-warn'}`}>
              {part.ready ? (
                <CircleCheck aria-hidden="true" size={14} />
              ) : (
                <TriangleAlert aria-hidden="true" size={14} />
              )}
              {part.ready ? w.ready : w.away}
            </span>
            <span className="ml-auto flex flex-wrap justify-end gap-x-3 text-caption text-muted">
              {part.pid !== null && <span>{w.pid(part.pid)}</span>}
              {part.port !== null && <span>{w.port(part.port)}</span>}
              {part.since !== null && (
                <span>
                  {w.since} <Ago at={part.since} />
                </span>
              )}
            </span>
            {part.note !== null && <span className="w-full text-caption text-muted">{part.note}</span>}
          </li>
        ))}
      </ul>
    </Panel>
  );
}

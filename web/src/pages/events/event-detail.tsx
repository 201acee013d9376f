// One event in the drawer: all its fields, each of which filters, and its payload as JSON.
import { Filter } from 'lucide-react';
import type { EventItem } from '../../api/routes.ts';
import { IconButton } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy.tsx';
import { Json } from '../../ui/json.tsx';
import { Peek } from '../../ui/peek.tsx';
import { revealedText } from '../../ui/reveal.ts';
import { exactWords } from '../../ui/time-words.ts';
import type { FieldFilter } from './event-row.tsx';
import type { FilterName } from './filters.ts';
import { words } from './words.ts';

interface EventDetailProps {
  readonly event: EventItem;
  readonly onFilter: FieldFilter;
  readonly onClose: () => void;
}

export function EventDetail({ event, onFilter, onClose }: EventDetailProps) {
  const d = words.detail;
  const fields: readonly { term: string; value: string | null; filter?: FilterName; isCode?: boolean }[] = [
    { term: d.time, value: exactWords(new Date(event.at)) },
    { term: d.type, value: event.event_type, filter: 'type' },
    { term: d.source, value: event.source_agent, filter: 'agent' },
    { term: d.subject, value: event.subject, filter: 'subject', isCode: true },
    { term: d.tenant, value: event.tenant, filter: 'tenant' },
    { term: d.correlation, value: event.correlation_id, filter: 'correlation', isCode: true },
    { term: d.causation, value: event.causation_id, isCode: true },
    { term: d.id, value: event.id, isCode: true },
    { term: d.cursor, value: event.cursor, isCode: true },
  ];
  return (
    <Peek
      title={event.event_type}
      onClose={onClose}
      actions={<CopyButton label={d.copyJson} text={JSON.stringify(event, null, 2)} />}
    >
      <dl className="px-3 py-1.5" data-event={event.cursor}>
        {fields.map(({ term, value, filter, isCode }) =>
          value === null ? null : (
            <div key={term} className="grid min-h-8 grid-cols-[96px_1fr_auto] items-center gap-2 border-b border-line">
              <dt className="text-muted">{term}</dt>
              <dd className={`min-w-0 py-1 [overflow-wrap:anywhere] ${isCode ? 'font-mono text-[12px]' : ''}`}>
                {revealedText(value)}
              </dd>
              <dd className="flex">
                {filter !== undefined && (
                  <IconButton
                    label={words.filterBy(term.toLowerCase(), revealedText(value))}
                    onClick={() => onFilter(filter, value)}
                  >
                    <Filter size={13} />
                  </IconButton>
                )}
              </dd>
            </div>
          ),
        )}
      </dl>
      <h3 className="px-3 pt-2 text-caption font-semibold text-muted uppercase">{d.payload}</h3>
      <Json value={event.payload} />
    </Peek>
  );
}

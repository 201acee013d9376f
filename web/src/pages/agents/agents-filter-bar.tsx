// The bar above the agent list: title, states, tenant, text. Everything it holds is in the address.
import { Search } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import type { AgentState } from '../../api/routes.ts';
import type { AgentFilter } from './agent-filter.ts';
import { StateFacets } from './state-facets.tsx';
import { words } from './words.ts';

interface FilterBarProps {
  readonly filter: AgentFilter;
  readonly tenants: readonly string[];
  readonly counts: ReadonlyMap<AgentState, number>;
  readonly states: ReadonlySet<string>;
  readonly title: string;
  readonly count: string;
  readonly onChange: (part: {
    state?: string | undefined;
    tenant?: string | undefined;
    q?: string | undefined;
  }) => void;
}

const control = 'h-7 rounded-control border border-control bg-panel phone:h-11';

export function AgentsFilterBar({ filter, tenants, counts, states, title, count, onChange }: FilterBarProps) {
  return (
    <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-2 phone:px-3">
      <h1 className="text-title font-semibold">
        {title} <span className="text-body font-normal text-muted">{count}</span>
      </h1>
      <div className="order-3 w-full min-w-0">
        <StateFacets
          counts={counts}
          chosen={states}
          onChoose={(list) => onChange({ state: list.join(',') || undefined })}
        />
      </div>
      <div className="ml-auto flex min-w-0 items-center gap-2 phone:w-full">
        {tenants.length > 1 && (
          <select
            aria-label={words.tenant}
            value={filter.tenant ?? ''}
            onChange={(event) => onChange({ tenant: event.target.value || undefined })}
            className={`${control} px-2`}
          >
            <option value="">{words.allTenants}</option>
            {tenants.map((tenant) => (
              <option key={tenant}>{tenant}</option>
            ))}
          </select>
        )}
        <FilterInput value={filter.q ?? ''} onChange={(q) => onChange({ q: q || undefined })} />
      </div>
    </div>
  );
}

function FilterInput({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const sent = useRef(value);
  useEffect(() => {
    // The address changed from elsewhere (Back, a cleared filter), not by typing here.
    if (value !== sent.current) setText(value);
    sent.current = value;
  }, [value]);
  return (
    <label
      className={`${control} flex min-w-0 flex-1 items-center gap-2 px-2 focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent`}
    >
      <Search aria-hidden="true" size={14} className="shrink-0 text-muted" />
      <input
        data-filter
        type="search"
        aria-label={words.filter}
        placeholder={words.filter}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          sent.current = event.target.value;
          onChange(event.target.value);
        }}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
        className="w-56 min-w-0 flex-1 bg-transparent outline-none placeholder:text-muted"
      />
    </label>
  );
}

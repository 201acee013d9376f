// Tabs with a line below, as the pages of one thing use them.
import { Tabs } from 'radix-ui';
import type { ReactNode } from 'react';

export interface Tab {
  readonly name: string;
  readonly word: string;
}

interface TabBarProps {
  readonly label: string;
  readonly tabs: readonly Tab[];
  readonly current: string;
  readonly onChange: (name: string) => void;
  readonly children: ReactNode;
}

export function TabBar({ label, tabs, current, onChange, children }: TabBarProps) {
  return (
    <Tabs.Root value={current} onValueChange={onChange} className="flex min-h-0 flex-1 flex-col">
      <Tabs.List aria-label={label} className="flex shrink-0 flex-wrap gap-x-1 border-b border-line px-3">
        {tabs.map(({ name, word }) => (
          <Tabs.Trigger
            key={name}
            value={name}
            className="h-9 shrink-0 border-b-2 border-transparent px-2 font-medium whitespace-nowrap text-muted outline-offset-[-2px] hover:text-fg data-[state=active]:border-accent data-[state=active]:text-fg phone:h-11 phone:px-2"
          >
            {word}
          </Tabs.Trigger>
        ))}
      </Tabs.List>
      {children}
    </Tabs.Root>
  );
}

export function TabPanel({ name, children }: { name: string; children: ReactNode }) {
  return (
    <Tabs.Content value={name} className="flex min-h-0 flex-1 flex-col outline-none" tabIndex={-1}>
      {children}
    </Tabs.Content>
  );
}

// A titled box with a border; the page's pieces are made of them.
import type { ReactNode } from 'react';
import { classes } from './classes.ts';

interface PanelProps {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
  readonly className?: string;
}

export function Panel({ title, aside, children, className }: PanelProps) {
  const id = `panel-${title.toLowerCase().replace(/\W+/g, '-')}`;
  return (
    <section aria-labelledby={id} className={classes('rounded-panel border border-line bg-panel', className)}>
      <header className="flex min-h-9 items-center gap-3 border-b border-line px-3 py-1">
        <h2 id={id} className="text-body font-semibold">
          {title}
        </h2>
        <div className="ml-auto flex items-center gap-2 text-caption text-muted">{aside}</div>
      </header>
      {children}
    </section>
  );
}

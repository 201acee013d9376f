// The three ways of having nothing to show. They differ in what the reader can do: begin, loosen the filter, or ask.
import { CircleSlash, Inbox, Lock, type LucideIcon } from 'lucide-react';
import type { ReactNode } from 'react';

type Kind = 'nothing-yet' | 'no-match' | 'unavailable';

const icons: Record<Kind, LucideIcon> = { 'nothing-yet': Inbox, 'no-match': CircleSlash, unavailable: Lock };

interface EmptyProps {
  readonly kind: Kind;
  readonly title: string;
  readonly text: ReactNode;
  readonly children?: ReactNode;
}

export function Empty({ kind, title, text, children }: EmptyProps) {
  const Icon = icons[kind];
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-2 px-4 py-10 text-center" data-empty={kind}>
      <Icon aria-hidden="true" size={20} className="text-muted" />
      <p className="text-strong font-semibold">{title}</p>
      <p className="text-muted">{text}</p>
      {children !== undefined && <div className="mt-2 flex w-full flex-col items-center gap-2">{children}</div>}
    </div>
  );
}

// Terms and values. What has no value is left out.
import type { ReactNode } from 'react';

export function FactGroup({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="mb-2">
      <h3 className="mb-1 text-caption font-semibold text-muted uppercase">{title}</h3>
      <dl className="text-body">{children}</dl>
    </section>
  );
}

export function Fact({ term, children }: { term: string; children: ReactNode }) {
  if (children === null || children === undefined || children === false || children === '') return null;
  return (
    <div className="grid grid-cols-[128px_1fr] gap-3 border-b border-line py-1.5 last:border-0 phone:grid-cols-[112px_1fr]">
      <dt className="text-muted">{term}</dt>
      <dd className="min-w-0 [overflow-wrap:anywhere]">{children}</dd>
    </div>
  );
}

// Said above what is shown when fetching it anew failed: what is there is kept, and is called old.
import { TriangleAlert } from 'lucide-react';
import { words } from './words.ts';

export function NotRenewed({ error }: { error: Error | null }) {
  if (error === null) return null;
  return (
    <p
      role="status"
      data-not-renewed
      className="flex shrink-0 items-center gap-2 border-b border-line px-4 py-1.5 text-warn"
    >
      <TriangleAlert aria-hidden="true" size={14} className="shrink-0" />
      {words.notRenewed(error.message)}
    </p>
  );
}

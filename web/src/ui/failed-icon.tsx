// The shape of failure: a filled octagon with a cross cut out, so that it stands out from all other states by shape alone.
import type { LucideProps } from 'lucide-react';

export function FailedIcon({ size = 14, className }: LucideProps) {
  return (
    <svg aria-hidden="true" width={size} height={size} viewBox="0 0 24 24" className={className}>
      <path fill="currentColor" d="M7.5 1h9L23 7.5v9L16.5 23h-9L1 16.5v-9z" />
      <path stroke="var(--qd-panel)" strokeWidth="2.6" strokeLinecap="round" d="m15.5 8.5-7 7m0-7 7 7" />
    </svg>
  );
}

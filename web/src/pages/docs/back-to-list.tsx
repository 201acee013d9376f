// On a phone the list and what is chosen from it take turns; this leads back.
import { ChevronLeft } from 'lucide-react';
import { words } from './words.ts';

export function BackToList({ onBack }: { onBack: () => void }) {
  return (
    <button
      type="button"
      onClick={onBack}
      className="mb-1 hidden min-h-11 w-fit items-center gap-1 text-muted phone:inline-flex"
    >
      <ChevronLeft aria-hidden="true" size={16} /> {words.back}
    </button>
  );
}

// What is shown for an address that leads nowhere, and for a page that broke.
import { type ErrorComponentProps, Link } from '@tanstack/react-router';
import { buttonClasses } from '../ui/button.tsx';
import { Empty } from '../ui/empty.tsx';
import { ProblemView } from '../ui/problem-view.tsx';
import { words } from './words.ts';

export function NotFound() {
  return (
    <Empty kind="unavailable" title={words.notFound.title} text={words.notFound.text}>
      <Link to="/" className={buttonClasses('primary')}>
        {words.notFound.home}
      </Link>
    </Empty>
  );
}

export function PageFailed({ error, reset }: ErrorComponentProps) {
  // A page that is no longer there after an update of the server is fetched anew with the whole document.
  const isGone = error instanceof Error && /dynamically imported module/i.test(error.message);
  return <ProblemView error={error} onRetry={isGone ? () => location.reload() : reset} />;
}

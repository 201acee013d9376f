// A failed request in the place of what it was to show: what happened, what to do, and the id to find it by.
import { RotateCw } from 'lucide-react';
import { Problem } from '../api/problem.ts';
import { Button } from './button.tsx';
import { CopyButton } from './copy.tsx';
import { FailedIcon } from './failed-icon.tsx';
import { words } from './words.ts';

export function ProblemView({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const problem = error instanceof Problem ? error : new Problem(0, 'page_error', messageOf(error));
  return (
    <div role="alert" className="flex flex-col gap-2 p-4" data-problem={problem.code}>
      <p className="flex items-start gap-2 font-medium">
        <FailedIcon aria-hidden="true" size={16} className="mt-0.5 shrink-0 text-err" />
        {problem.message}
      </p>
      {problem.hint !== undefined && <p className="text-muted">{problem.hint}</p>}
      {problem.fields.length > 0 && (
        <ul className="list-disc pl-5 text-muted">
          {problem.fields.map((field) => (
            <li key={field.field}>
              <code className="font-mono">{field.field}</code>: {field.message}
            </li>
          ))}
        </ul>
      )}
      <div className="flex flex-wrap items-center gap-2 text-caption text-muted">
        <code className="font-mono">{problem.code}</code>
        {problem.requestId !== undefined && <code className="font-mono">{words.request(problem.requestId)}</code>}
        <CopyButton label={words.copyReport} text={reportOf(problem)} />
        {onRetry !== undefined && (
          <Button onClick={onRetry}>
            <RotateCw aria-hidden="true" size={13} /> {words.tryAgain}
          </Button>
        )}
      </div>
    </div>
  );
}

export function reportOf(problem: Problem): string {
  return [
    `Quarterdeck: ${problem.message}`,
    `code: ${problem.code} (HTTP ${problem.status})`,
    `request: ${problem.requestId ?? 'none'}`,
    `page: ${location.pathname}${location.search}`,
    `time: ${new Date().toISOString()}`,
  ].join('\n');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : words.failed;
}

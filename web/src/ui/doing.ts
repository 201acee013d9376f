// Does something to work that the operator asked for: what fails is told, and what is shown of work is fetched again.
import { useQueryClient } from '@tanstack/react-query';
import { Problem } from '../api/problem.ts';
import { toast } from './toasts.ts';
import { words } from './words.ts';

export function useDoing(): (run: () => Promise<unknown>) => Promise<void> {
  const queries = useQueryClient();
  return async (run) => {
    try {
      await run();
    } catch (error) {
      toast({ title: words.didNotWork, text: textOf(error), tone: 'err' });
    } finally {
      void queries.invalidateQueries({ queryKey: ['work'] });
    }
  };
}

export function textOf(error: unknown): string {
  return error instanceof Problem ? [error.message, error.hint].filter(Boolean).join('. ') : String(error);
}

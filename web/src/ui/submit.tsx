// The end of a form: what the server said against it, and the button that sends it. What is sent is sent once.
import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import { Button } from './button.tsx';
import { ProblemView } from './problem-view.tsx';

export interface Submit {
  readonly isBusy: boolean;
  readonly error: unknown;
  /** Runs what a form is sent with. What it throws is shown; after it all that is shown of work is fetched again. */
  readonly onSubmit: (event: FormEvent) => void;
}

export function useSubmit(send: () => Promise<void>): Submit {
  const queries = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const run = async (): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await send();
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
      void queries.invalidateQueries({ queryKey: ['work'] });
    }
  };
  return {
    isBusy,
    error,
    onSubmit: (event) => {
      event.preventDefault();
      void run();
    },
  };
}

export function SubmitEnd({
  submit,
  word,
  children,
  isDisabled = false,
}: {
  submit: Submit;
  word: string;
  children?: ReactNode;
  isDisabled?: boolean;
}) {
  return (
    <>
      {submit.error !== undefined && (
        <div className="-mx-4">
          <ProblemView error={submit.error} />
        </div>
      )}
      <div className="sticky -bottom-4 -mx-4 -mb-4 flex items-center justify-end gap-2 border-t border-line bg-panel px-4 py-3">
        {children}
        <Button type="submit" tone="primary" disabled={submit.isBusy || isDisabled}>
          {word}
        </Button>
      </div>
    </>
  );
}

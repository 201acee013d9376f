// Shows the question of confirm.ts.
import { AlertDialog } from 'radix-ui';
import { useRef, useSyncExternalStore } from 'react';
import { Button } from './button.tsx';
import { questions } from './confirm.ts';
import { useReturnFocus } from './return-focus.ts';
import { words } from './words.ts';

export function Confirmer() {
  const question = useSyncExternalStore(questions.subscribe, questions.current);
  const yes = useRef<HTMLButtonElement>(null);
  const focus = useReturnFocus(yes);
  return (
    <AlertDialog.Root open={question !== undefined} onOpenChange={(open) => !open && question?.answer(false)}>
      <AlertDialog.Portal>
        <AlertDialog.Overlay className="fade fixed inset-0 z-40 bg-veil" />
        <AlertDialog.Content
          {...focus}
          className="fixed top-[24vh] left-1/2 z-40 w-[min(420px,calc(100vw-24px))] -translate-x-1/2 rounded-panel border border-line bg-panel p-4 shadow-float outline-none"
        >
          <AlertDialog.Title className="text-strong font-semibold">{question?.title}</AlertDialog.Title>
          <AlertDialog.Description className="mt-1 text-muted">{question?.text}</AlertDialog.Description>
          <div className="mt-4 flex justify-end gap-2">
            <AlertDialog.Cancel asChild>
              <Button>{words.cancel}</Button>
            </AlertDialog.Cancel>
            <Button ref={yes} tone="primary" onClick={() => question?.answer(true)}>
              {question?.word}
            </Button>
          </div>
        </AlertDialog.Content>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}

// A dialog with a title over the page: a form, or something that is shown once. On a phone it is a sheet.
import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode, RefObject } from 'react';
import { IconButton } from './button.tsx';
import { useReturnFocus } from './return-focus.ts';
import { words } from './words.ts';

interface DialogProps {
  readonly title: string;
  readonly text?: ReactNode;
  readonly onClose: () => void;
  /** Clicks beside it do not close it: what it shows or holds would be lost. */
  readonly isKept?: boolean;
  /** What takes the focus, if it is not the button that closes it. */
  readonly first?: RefObject<HTMLElement | null>;
  readonly children: ReactNode;
}

export function Dialog({ title, text, onClose, isKept = false, first, children }: DialogProps) {
  const focus = useReturnFocus(first);
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fade fixed inset-0 z-40 bg-veil" />
        <Radix.Content
          {...focus}
          {...(text === undefined ? { 'aria-describedby': undefined } : {})}
          onInteractOutside={(event) => isKept && event.preventDefault()}
          className="fixed top-[10vh] left-1/2 z-40 flex max-h-[82vh] w-[min(560px,calc(100vw-24px))] -translate-x-1/2 flex-col rounded-panel border border-line bg-panel shadow-float outline-none phone:inset-x-0 phone:top-auto phone:bottom-0 phone:left-0 phone:max-h-[92dvh] phone:w-full phone:translate-x-0 phone:rounded-b-none"
        >
          <header className="flex shrink-0 items-center gap-2 border-b border-line py-1 pr-1.5 pl-4">
            <Radix.Title className="min-w-0 flex-1 truncate text-strong font-semibold">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton label={words.close}>
                <X size={16} />
              </IconButton>
            </Radix.Close>
          </header>
          {text !== undefined && (
            <Radix.Description className="shrink-0 px-4 pt-3 text-muted">{text}</Radix.Description>
          )}
          <div className="min-h-0 overflow-y-auto p-4 pb-[max(16px,env(safe-area-inset-bottom))]">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

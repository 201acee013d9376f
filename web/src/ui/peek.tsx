// The drawer beside a list. On a wide screen the list keeps the focus, so j and k go on while it shows what is chosen;
// on a phone it is a sheet over the page.
import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import type { ReactNode } from 'react';
import { IconButton } from './button.tsx';
import { useIsPhone } from './media.ts';
import { useReturnFocus } from './return-focus.ts';
import { words } from './words.ts';

interface PeekProps {
  readonly title: string;
  readonly actions?: ReactNode;
  readonly onClose: () => void;
  readonly children: ReactNode;
}

export function Peek(props: PeekProps) {
  return useIsPhone() ? <Sheet {...props} /> : <Side {...props} />;
}

function Side({ title, actions, onClose, children }: PeekProps) {
  return (
    <aside
      aria-label={title}
      className="slide-in flex w-[420px] max-w-[45vw] shrink-0 flex-col border-l border-line bg-panel"
    >
      <header className="flex h-10 shrink-0 items-center gap-2 border-b border-line pr-1.5 pl-3">
        <h2 className="min-w-0 flex-1 truncate font-semibold">{title}</h2>
        {actions}
        <IconButton label={words.closeEsc} onClick={onClose}>
          <X size={15} />
        </IconButton>
      </header>
      <div className="min-h-0 flex-1 overflow-y-auto">{children}</div>
    </aside>
  );
}

function Sheet({ title, actions, onClose, children }: PeekProps) {
  const focus = useReturnFocus();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade fixed inset-0 z-40 bg-veil" />
        <Dialog.Content
          {...focus}
          aria-describedby={undefined}
          className="fixed inset-x-0 bottom-0 z-40 flex max-h-[88dvh] flex-col rounded-t-panel border-t border-line bg-panel pb-[env(safe-area-inset-bottom)] outline-none"
        >
          <header className="flex min-h-12 shrink-0 items-center gap-2 border-b border-line pr-1 pl-4">
            <Dialog.Title className="min-w-0 flex-1 truncate font-semibold">{title}</Dialog.Title>
            {actions}
            <Dialog.Close asChild>
              <IconButton label={words.close}>
                <X size={18} />
              </IconButton>
            </Dialog.Close>
          </header>
          <div className="min-h-0 flex-1 overflow-y-auto">{children}</div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

// The dialog that lists the keys of the screen that is shown.
import { X } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { IconButton } from '../ui/button.tsx';
import { useReturnFocus } from '../ui/return-focus.ts';
import { type KeyBinding, useKeySets, useLettersOff } from './keyboard.ts';
import { words } from './words.ts';

export function KeyHelp({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  const [shell = [], ...screen] = useKeySets();
  const lettersOff = useLettersOff();
  const here = screen.flat();
  const focus = useReturnFocus();
  return (
    <Dialog.Root open={open} onOpenChange={onOpenChange}>
      <Dialog.Portal>
        <Dialog.Overlay className="fade fixed inset-0 z-40 bg-veil" />
        <Dialog.Content
          {...focus}
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-40 max-h-[76vh] w-[min(640px,calc(100vw-24px))] -translate-x-1/2 overflow-y-auto rounded-panel border border-line bg-panel p-4 shadow-float outline-none"
        >
          <div className="mb-3 flex items-center">
            <Dialog.Title className="text-strong font-semibold">{words.help.title}</Dialog.Title>
            <Dialog.Close asChild>
              <IconButton label={words.close} className="ml-auto">
                <X size={15} />
              </IconButton>
            </Dialog.Close>
          </div>
          {lettersOff && <p className="mb-3 text-warn">{words.help.off}</p>}
          <div className="grid gap-x-8 gap-y-4 sm:grid-cols-2">
            {here.length > 0 && <KeyList title={words.help.here} bindings={here} />}
            <KeyList title={words.help.everywhere} bindings={shell} />
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function KeyList({ title, bindings }: { title: string; bindings: readonly KeyBinding[] }) {
  return (
    <section>
      <h3 className="mb-1 text-caption font-semibold text-muted uppercase">{title}</h3>
      <dl>
        {bindings.map((binding) => (
          <div key={binding.keys} className="flex items-center gap-3 border-b border-line py-1 last:border-0">
            <dt className="order-2 ml-auto flex gap-1">
              <Keys keys={binding.keys} />
            </dt>
            <dd>{binding.words}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

const isApple = navigator.userAgent.includes('Mac');

export function Keys({ keys }: { keys: string }) {
  return keys.split(' ').map((key) => (
    <kbd
      key={key}
      className="inline-flex h-5 min-w-5 items-center justify-center rounded border border-control px-1 font-sans text-caption text-muted"
    >
      {key === 'Mod' ? (isApple ? '⌘' : 'Ctrl') : key.length === 1 ? key.toUpperCase() : key}
    </kbd>
  ));
}

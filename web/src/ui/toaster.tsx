// Shows the messages of toasts.ts; what can be undone has its button here.
import { CircleCheck, X } from 'lucide-react';
import { Toast } from 'radix-ui';
import { useSyncExternalStore } from 'react';
import { Button, IconButton } from './button.tsx';
import { FailedIcon } from './failed-icon.tsx';
import { dismiss, toasts } from './toasts.ts';
import { words } from './words.ts';

export function Toaster() {
  const list = useSyncExternalStore(toasts.subscribe, toasts.list);
  return (
    <Toast.Provider duration={6000} swipeDirection="right" label={words.message}>
      {list.map((message) => (
        <Toast.Root
          key={message.id}
          type={message.tone === 'err' ? 'foreground' : 'background'}
          onOpenChange={(open) => !open && dismiss(message.id)}
          className="slide-in flex items-center gap-2.5 rounded-panel border border-line bg-panel py-2 pr-2 pl-3 shadow-float"
        >
          {message.tone === 'err' ? (
            <FailedIcon aria-hidden="true" size={16} className="shrink-0 text-err" />
          ) : (
            <CircleCheck aria-hidden="true" size={16} className="shrink-0 text-ok" />
          )}
          <div className="min-w-0 flex-1">
            <Toast.Title className="font-medium">{message.title}</Toast.Title>
            {message.text !== undefined && (
              <Toast.Description className="text-caption text-muted [overflow-wrap:anywhere]">
                {message.text}
              </Toast.Description>
            )}
          </div>
          {message.action !== undefined && (
            <Toast.Action altText={message.action.word} asChild>
              <Button onClick={message.action.run}>{message.action.word}</Button>
            </Toast.Action>
          )}
          <Toast.Close asChild>
            <IconButton label={words.close}>
              <X size={14} />
            </IconButton>
          </Toast.Close>
        </Toast.Root>
      ))}
      <Toast.Viewport className="fixed right-4 bottom-4 z-50 flex w-[min(380px,calc(100vw-32px))] flex-col gap-2 outline-none phone:right-4 phone:bottom-20" />
    </Toast.Provider>
  );
}

// Messages that come and go. Anybody may send one; the shell shows them.
export interface ToastMessage {
  readonly id: number;
  readonly title: string;
  readonly text?: string;
  readonly tone: 'ok' | 'err';
  readonly action?: { readonly word: string; readonly run: () => void };
}

let messages: readonly ToastMessage[] = [];
let last = 0;
const listeners = new Set<() => void>();

export function toast(message: Omit<ToastMessage, 'id' | 'tone'> & { tone?: ToastMessage['tone'] }): void {
  last += 1;
  set([...messages.slice(-3), { tone: 'ok', ...message, id: last }]);
}

export function dismiss(id: number): void {
  set(messages.filter((message) => message.id !== id));
}

export const toasts = {
  list: (): readonly ToastMessage[] => messages,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function set(list: readonly ToastMessage[]): void {
  messages = list;
  for (const listener of listeners) listener();
}

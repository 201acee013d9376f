// Asks before something that cannot be taken back. Anybody may ask; the shell shows the question.
export interface Question {
  readonly title: string;
  readonly text: string;
  readonly word: string;
  readonly answer: (yes: boolean) => void;
}

let question: Question | undefined;
const listeners = new Set<() => void>();

export function confirm(asked: Omit<Question, 'answer'>): Promise<boolean> {
  question?.answer(false);
  return new Promise((resolve) => {
    set({
      ...asked,
      answer: (yes) => {
        set(undefined);
        resolve(yes);
      },
    });
  });
}

export const questions = {
  current: (): Question | undefined => question,
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
};

function set(next: Question | undefined): void {
  question = next;
  for (const listener of listeners) listener();
}

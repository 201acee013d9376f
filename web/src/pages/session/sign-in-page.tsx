// Shown to whoever is not signed in: how to get in, and why a link did not work.
import { Logo } from '../../app/logo.tsx';
import { useTitle } from '../../app/title.ts';
import { words as shellWords } from '../../app/words.ts';
import { Command } from '../../ui/copy.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { words } from './words.ts';

interface SignInPageProps {
  readonly reason: 'none' | 'refused' | 'ended';
  readonly error?: unknown;
}

export function SignInPage({ reason, error }: SignInPageProps) {
  useTitle(words.title);
  return (
    <main className="flex h-full flex-col items-center justify-center gap-6 p-4" data-sign-in={reason}>
      <p className="flex items-center gap-3 text-title font-semibold">
        <Logo size={32} /> {shellWords.product}
      </p>
      <div className="w-[min(440px,100%)] rounded-panel border border-line bg-panel p-5">
        <h1 className="text-strong font-semibold">{words[reason]}</h1>
        <p className="mt-1 mb-3 text-muted">{words[`${reason}Text`]}</p>
        <Command text={words.command} />
        {error instanceof Error && (
          <div className="-mx-4 mt-3 -mb-4 border-t border-line">
            <ProblemView error={error} />
          </div>
        )}
      </div>
    </main>
  );
}

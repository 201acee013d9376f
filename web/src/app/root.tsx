// Decides between the sign-in page and the shell.
import { useQuery } from '@tanstack/react-query';
import { Outlet } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { isSignedOut } from '../api/problem.ts';
import { meQuery } from '../api/queries.ts';
import { LiveProvider } from '../live/live.tsx';
import { ProblemView } from '../ui/problem-view.tsx';
import { endSession, exchanged, hadKey, useSessionEnded } from './session.ts';
import { Shell } from './shell.tsx';

const SignInPage = lazy(async () => ({ default: (await import('../pages/session/sign-in-page.tsx')).SignInPage }));

export function Root() {
  const isEnded = useSessionEnded();
  const exchange = useQuery({
    queryKey: ['exchange'],
    queryFn: async () => ((await exchanged()) === undefined ? 'none' : 'done'),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  const me = useQuery({ ...meQuery, enabled: !exchange.isPending && !isEnded });
  if (isEnded) return <SignIn reason="ended" />;
  if (me.data !== undefined) {
    return (
      <LiveProvider onSignedOut={endSession}>
        <Shell>
          <Outlet />
        </Shell>
      </LiveProvider>
    );
  }
  if (isSignedOut(me.error)) return <SignIn reason={hadKey() ? 'refused' : 'none'} error={exchange.error} />;
  if (me.error !== null) {
    return (
      <div className="mx-auto mt-24 w-[min(440px,calc(100vw-24px))] rounded-panel border border-line bg-panel">
        <ProblemView error={me.error} onRetry={() => void me.refetch()} />
      </div>
    );
  }
  return null;
}

function SignIn(props: { reason: 'none' | 'refused' | 'ended'; error?: unknown }) {
  return (
    <Suspense fallback={null}>
      <SignInPage {...props} />
    </Suspense>
  );
}

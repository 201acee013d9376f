// The API reference, made by the page from what the running server says of itself: operations by room, each with what it
// takes, what it answers and how it is asked in four languages.
import { queryOptions, useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { useMemo } from 'react';
import { call } from '../../api/client.ts';
import { useKeys } from '../../app/keyboard.ts';
import { useTitle } from '../../app/title.ts';
import { words as shellWords } from '../../app/words.ts';
import { useIsPhone } from '../../ui/media.ts';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { Introduction } from './introduction.tsx';
import { found, type OpenApi, operationsOf } from './openapi.ts';
import { OperationList } from './operation-list.tsx';
import { OperationView } from './operation-view.tsx';
import { words } from './words.ts';

const route = getRouteApi('/docs');

const openApiQuery = queryOptions({
  queryKey: ['openapi'],
  queryFn: async ({ signal }) => {
    const document = await call<object, OpenApi>({ method: 'GET', path: '/v1/openapi.json' }, {}, signal);
    return operationsOf(document);
  },
  staleTime: Number.POSITIVE_INFINITY,
});

export function DocsPage() {
  const { operation: chosen, q } = route.useSearch();
  const navigate = route.useNavigate();
  const isPhone = useIsPhone();
  const query = useQuery(openApiQuery);
  const all = query.data;
  const shown = useMemo(() => found(all ?? [], q ?? ''), [all, q]);
  const operation = all?.find((one) => one.operation === chosen);
  useTitle(operation === undefined ? words.title : `${operation.operation} · ${words.title}`);
  const choose = (name: string | undefined): void => {
    void navigate({ search: { q, operation: name } });
  };
  const step = (by: number) => (): void => {
    const at = shown.findIndex((one) => one.operation === chosen);
    const next = shown[at < 0 ? 0 : Math.min(Math.max(at + by, 0), shown.length - 1)];
    if (next === undefined) return;
    void navigate({ search: { q, operation: next.operation }, replace: true });
    document.querySelector(`[data-operation="${CSS.escape(next.operation)}"]`)?.scrollIntoView({ block: 'nearest' });
  };
  useKeys([
    { keys: 'j', words: shellWords.keys.down, run: step(1) },
    { keys: 'k', words: shellWords.keys.up, run: step(-1) },
    { keys: 'Esc', words: shellWords.keys.back, run: () => choose(undefined) },
  ]);

  if (all === undefined) {
    return query.error === null ? (
      <RowSkeletons rows={12} />
    ) : (
      <ProblemView error={query.error} onRetry={() => void query.refetch()} />
    );
  }
  const list = (
    <OperationList
      operations={shown}
      query={q ?? ''}
      chosen={chosen}
      onQuery={(text) => void navigate({ search: { q: text || undefined, operation: chosen }, replace: true })}
      onChoose={choose}
    />
  );
  const view =
    operation === undefined ? (
      <Introduction missing={chosen} onBack={() => choose(undefined)} />
    ) : (
      <OperationView key={operation.operation} operation={operation} onBack={() => choose(undefined)} />
    );
  if (isPhone) return chosen === undefined ? list : <ScrollRegion label={words.list}>{view}</ScrollRegion>;
  return (
    <div className="flex min-h-0 flex-1">
      <div className="flex w-[320px] max-w-[38vw] shrink-0 flex-col border-r border-line">{list}</div>
      <ScrollRegion key={chosen} label={operation?.summary ?? words.intro.title} className="@container">
        {view}
      </ScrollRegion>
    </div>
  );
}

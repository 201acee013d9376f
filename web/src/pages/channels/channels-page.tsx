// Channels: what each allows, what is used of it, what waits for it, and who paused it.
import { useQuery } from '@tanstack/react-query';
import { getRouteApi } from '@tanstack/react-router';
import { CirclePause, Plus } from 'lucide-react';
import { useState } from 'react';
import { channelsQuery, workQuery } from '../../api/queries.ts';
import type { Channel } from '../../api/routes.ts';
import { useKeys } from '../../app/keyboard.ts';
import { useListKeys } from '../../app/list-keys.ts';
import { openPauseWork, PauseBanner } from '../../app/pause-work.tsx';
import { TenantFilter, useMayWrite } from '../../app/tenants.tsx';
import { useTitle } from '../../app/title.ts';
import { words as shellWords } from '../../app/words.ts';
import { Button } from '../../ui/button.tsx';
import { Command } from '../../ui/copy.tsx';
import { Empty } from '../../ui/empty.tsx';
import { NotRenewed } from '../../ui/not-renewed.tsx';
import { PauseDialog } from '../../ui/pause-dialog.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { ScrollRegion } from '../../ui/scroll-region.tsx';
import { RowSkeletons } from '../../ui/skeleton.tsx';
import { ChannelForm } from './channel-form.tsx';
import { ChannelRow } from './channel-row.tsx';
import { useChannelActions } from './use-channel-actions.ts';
import { words } from './words.ts';

const route = getRouteApi('/channels');
const SAMPLE = `quarterdeck channel set ebay --concurrency 4 --limits '[{"limit":5000,"window_seconds":86400}]'`;

type Open = { readonly form: 'new' } | { readonly form: 'edit' | 'pause'; readonly channel: Channel };

export function ChannelsPage() {
  useTitle(words.title);
  const { tenant } = route.useSearch();
  const navigate = route.useNavigate();
  const setTenant = (next: string | undefined): void => void navigate({ search: { tenant: next }, replace: true });
  const query = useQuery(channelsQuery(tenant));
  const channels = query.data?.items ?? [];
  const [active, setActive] = useState<string>();
  const [open, setOpen] = useState<Open>();
  const mayWrite = useMayWrite();
  const mayAdd = mayWrite(tenant ?? 'fleet');
  const actions = useChannelActions();
  const close = (): void => setOpen(undefined);

  const togglePause = (channel: Channel): void => {
    if (channel.paused === null) setOpen({ form: 'pause', channel });
    else void actions.resume(channel);
  };
  const withActive = (run: (channel: Channel) => void) => (): void => {
    const channel = channels.find((one) => idOf(one) === active);
    if (channel !== undefined && mayWrite(channel.tenant)) run(channel);
  };
  const edit = (channel: Channel): void => {
    if (channel.declared_by === null) setOpen({ form: 'edit', channel });
  };
  useListKeys({
    ids: channels.map(idOf),
    active,
    onActive: (id) => {
      setActive(id);
      document.querySelector(`[data-id="${CSS.escape(id)}"]`)?.scrollIntoView({ block: 'nearest' });
    },
    onOpen: withActive(edit),
    onPeek: withActive(edit),
    onBack: () => setActive(undefined),
  });
  useKeys([
    { keys: 'p', words: words.actions.keyPause, run: withActive(togglePause) },
    { keys: 'e', words: words.actions.keyEdit, run: withActive(edit) },
    ...(mayAdd ? [{ keys: 'c', words: words.actions.keyNew, run: () => setOpen({ form: 'new' }) }] : []),
  ]);

  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <header className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line px-4 py-2 phone:px-3">
        <h1 className="text-title font-semibold">{words.title}</h1>
        <TenantFilter tenant={tenant} onChange={setTenant} />
        {mayAdd && (
          <div className="ml-auto flex gap-2 phone:ml-0">
            <Button onClick={() => openPauseWork()}>
              <CirclePause aria-hidden="true" size={13} /> {shellWords.pause.title}
            </Button>
            <Button tone="primary" onClick={() => setOpen({ form: 'new' })}>
              <Plus aria-hidden="true" size={13} /> {words.add}
            </Button>
          </div>
        )}
      </header>
      {query.data !== undefined && <NotRenewed error={query.error} />}
      {query.data?.cut === true && <p className="border-b border-line px-4 py-1.5 text-warn">{words.cut}</p>}
      <OtherPauses />
      <ScrollRegion label={words.list} className="@container">
        {query.isPending && <RowSkeletons rows={6} />}
        {query.data === undefined && query.error !== null && (
          <ProblemView error={query.error} onRetry={() => void query.refetch()} />
        )}
        {query.data !== undefined && channels.length === 0 && (
          <NoChannels tenant={tenant} onAll={() => setTenant(undefined)} />
        )}
        {channels.length > 0 && (
          <ul aria-label={words.list}>
            {channels.map((channel) => (
              <ChannelRow
                key={idOf(channel)}
                channel={channel}
                isActive={idOf(channel) === active}
                mayWrite={mayWrite(channel.tenant)}
                onActive={() => setActive(idOf(channel))}
                onTogglePause={() => togglePause(channel)}
                onEdit={() => edit(channel)}
                onRemove={() => void actions.remove(channel)}
              />
            ))}
          </ul>
        )}
      </ScrollRegion>
      {open?.form === 'new' && <ChannelForm onClose={close} />}
      {open?.form === 'edit' && <ChannelForm channel={open.channel} onClose={close} />}
      {open?.form === 'pause' && (
        <PauseDialog
          title={words.actions.pauseOf(open.channel.channel)}
          text={words.actions.pauseText}
          hasEnd
          onPause={(pause) => actions.pause(open.channel, pause)}
          onClose={close}
        />
      )}
    </div>
  );
}

/** Those that the banner of every page has no room for. */
function OtherPauses() {
  const pauses = useQuery(workQuery).data?.pauses ?? [];
  const sorted = [...pauses].sort((a, b) => Number(b.tenant === 'fleet') - Number(a.tenant === 'fleet'));
  return sorted.slice(2).map((pause) => <PauseBanner key={pause.tenant} pause={pause} />);
}

function NoChannels({ tenant, onAll }: { tenant: string | undefined; onAll: () => void }) {
  if (tenant === undefined) {
    return (
      <Empty kind="nothing-yet" title={words.none.title} text={words.none.text}>
        <Command text={SAMPLE} />
      </Empty>
    );
  }
  const { title, text } = words.noneOf(tenant);
  return (
    <Empty kind="no-match" title={title} text={text}>
      <Button onClick={onAll}>{words.showAll}</Button>
    </Empty>
  );
}

/** Two tenants may have channels of the same name. */
function idOf({ tenant, channel }: Channel): string {
  return `${tenant}/${channel}`;
}

// The console of an agent: what its process prints, as it prints it, with search, wrapping and download.
import { ArrowDownToLine, ChevronDown, ChevronUp, Download, Search, WrapText } from 'lucide-react';
import { useDeferredValue, useMemo, useRef, useState } from 'react';
import { Button, IconButton } from '../../../ui/button.tsx';
import { Empty } from '../../../ui/empty.tsx';
import { ProblemView } from '../../../ui/problem-view.tsx';
import { RowSkeletons } from '../../../ui/skeleton.tsx';
import { toast } from '../../../ui/toasts.ts';
import { words } from '../words.ts';
import { ConsoleLines, type ConsoleScroll } from './console-lines.tsx';
import { downloadConsole } from './download.ts';
import { hitsIn } from './find.ts';
import { useConsole } from './use-console.ts';

const w = words.console;

export function Console({ address, isSupervised }: { address: string; isSupervised: boolean }) {
  const view = useConsole(address, isSupervised);
  const scroll = useRef<ConsoleScroll>(null);
  const [query, setQuery] = useState('');
  // Which hit is shown; -1 before the first jump.
  const [at, setAt] = useState(-1);
  const [isWrapped, setWrapped] = useState(true);
  const [isFollowing, setFollowing] = useState(true);
  const sought = useDeferredValue(query);
  const hits = useMemo(() => hitsIn(view.lines, sought), [view.lines, sought]);
  const current = hits[at];

  const goTo = (next: number): void => {
    if (hits.length === 0) return;
    const index = (next + hits.length) % hits.length;
    setAt(index);
    setFollowing(false);
    scroll.current?.toLine(hits[index]!);
  };
  const older = async (): Promise<void> => {
    setFollowing(false);
    scroll.current?.keepPlace(await view.loadOlder());
  };
  const download = (): void => {
    downloadConsole(address).catch((error: unknown) =>
      toast({ title: w.downloadFailed, text: error instanceof Error ? error.message : String(error), tone: 'err' }),
    );
  };

  if (!isSupervised) return <Empty kind="unavailable" title={w.external.title} text={w.external.text} />;
  if (!view.isLoaded && view.problem !== undefined && !view.problem.retryable)
    return <ProblemView error={view.problem} />;
  return (
    <div className="flex min-h-0 flex-1 flex-col" data-console={address} data-lines={view.lines.length}>
      <div className="flex shrink-0 flex-wrap items-center gap-x-3 gap-y-1 border-b border-line px-4 py-1.5 phone:px-2">
        <label className="flex h-7 items-center gap-2 rounded-control border border-control bg-panel px-2 focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent phone:h-11 phone:flex-1">
          <Search aria-hidden="true" size={14} className="text-muted" />
          <input
            data-filter
            type="search"
            aria-label={w.find}
            placeholder={w.find}
            value={query}
            onChange={(event) => {
              setQuery(event.target.value);
              setAt(-1);
            }}
            onKeyDown={(event) => {
              if (event.key === 'Enter') goTo(event.shiftKey ? Math.max(at, 0) - 1 : at + 1);
              if (event.key === 'Escape') event.currentTarget.blur();
            }}
            className="w-44 min-w-0 flex-1 bg-transparent outline-none placeholder:text-muted"
          />
        </label>
        {query !== '' && (
          <span className="flex items-center gap-1 text-muted" role="status">
            {w.hits(at + 1, hits.length)}
            <IconButton label={w.previous} onClick={() => goTo(Math.max(at, 0) - 1)}>
              <ChevronUp size={14} />
            </IconButton>
            <IconButton label={w.next} onClick={() => goTo(at + 1)}>
              <ChevronDown size={14} />
            </IconButton>
          </span>
        )}
        <div className="ml-auto flex items-center gap-1 text-caption text-muted">
          {view.problem !== undefined && <span className="text-warn">{w.waiting}</span>}
          <span className="mr-1 phone:hidden">
            {w.lines(view.lines.length)}
            {view.isCut && `, ${w.dropped}`}
          </span>
          {view.hasOlder && <Button onClick={() => void older()}>{w.older}</Button>}
          <IconButton
            label={w.wrap}
            aria-pressed={isWrapped}
            onClick={() => setWrapped(!isWrapped)}
            className="aria-pressed:text-accent"
          >
            <WrapText size={15} />
          </IconButton>
          <IconButton label={w.download} onClick={download}>
            <Download size={15} />
          </IconButton>
          <Button
            aria-pressed={isFollowing}
            title={w.end}
            onClick={() => setFollowing(!isFollowing)}
            className="aria-pressed:border-accent aria-pressed:text-accent"
          >
            <ArrowDownToLine aria-hidden="true" size={14} /> {isFollowing ? w.following : w.follow}
          </Button>
        </div>
      </div>
      {!view.isLoaded && <RowSkeletons rows={8} />}
      {view.isLoaded && view.lines.length === 0 && (
        <Empty kind="nothing-yet" title={w.empty.title} text={w.empty.text} />
      )}
      {view.lines.length > 0 && (
        <ConsoleLines
          lines={view.lines}
          label={w.label(address)}
          query={sought}
          current={current}
          isWrapped={isWrapped}
          isFollowing={isFollowing}
          onFollowing={setFollowing}
          scroll={scroll}
        />
      )}
    </div>
  );
}

// Every setting of the server: what it is, what holds, and who said so.
import { Search } from 'lucide-react';
import { useState } from 'react';
import type { Server } from '../../api/routes.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Panel } from '../../ui/panel.tsx';
import { revealedText } from '../../ui/reveal.ts';
import { words } from './words.ts';

type Setting = Server['settings'][number];

const w = words.settings;

export function SettingList({ settings }: { settings: readonly Setting[] }) {
  const [text, setText] = useState('');
  const [onlyChanged, setOnlyChanged] = useState(false);
  const sought = text.trim().toLowerCase();
  const shown = settings.filter(
    (one) =>
      (!onlyChanged || one.origin !== 'default') &&
      (sought === '' || `${one.setting} ${one.meaning} ${one.environment}`.toLowerCase().includes(sought)),
  );
  return (
    <Panel title={w.title} className="col-span-full">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-2 border-b border-line px-3 py-2">
        <label className="flex h-7 min-w-0 items-center gap-2 rounded-control border border-control bg-panel px-2 focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent phone:h-11 phone:w-full">
          <Search aria-hidden="true" size={14} className="shrink-0 text-muted" />
          <input
            data-filter
            type="search"
            aria-label={w.filter}
            placeholder={w.filter}
            value={text}
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
            className="w-56 min-w-0 flex-1 bg-transparent outline-none placeholder:text-muted"
          />
        </label>
        <label className="flex min-h-7 items-center gap-2 phone:min-h-11">
          <input
            type="checkbox"
            checked={onlyChanged}
            onChange={(event) => setOnlyChanged(event.target.checked)}
            className="size-4 accent-accent"
          />
          {w.onlyChanged}
        </label>
        <p className="min-w-0 flex-1 basis-64 text-caption text-muted">{w.restart}</p>
      </div>
      {shown.length === 0 && <p className="px-3 py-3 text-muted">{w.none}</p>}
      <ul>
        {shown.map((setting) => (
          <SettingRow key={setting.setting} setting={setting} />
        ))}
      </ul>
    </Panel>
  );
}

function SettingRow({ setting }: { setting: Setting }) {
  const isChanged = setting.origin !== 'default';
  const ways = [setting.flag, setting.environment, setting.in_manifest ? `${setting.setting}:` : null].filter(
    (way) => way !== null,
  );
  return (
    <li
      data-setting={setting.setting}
      data-origin={setting.origin}
      className="grid grid-cols-[200px_minmax(0,1fr)_minmax(0,1.4fr)] gap-x-4 gap-y-1 border-b border-line px-3 py-2 last:border-0 @max-3xl:grid-cols-[minmax(0,1fr)]"
    >
      <code className="font-mono text-[12px] leading-5 font-semibold">{setting.setting}</code>
      <div className="min-w-0">
        <p className="flex items-start gap-1 [overflow-wrap:anywhere]">
          {setting.value === null ? (
            <span className="text-muted">{setting.is_masked && isChanged ? w.masked : w.notSet}</span>
          ) : (
            <code className="font-mono text-[12px] leading-5">{revealedText(setting.value)}</code>
          )}
          {setting.value !== null && (
            <span className="-my-1">
              <CopyButton text={setting.value} label={words.settings.copyValue(setting.setting)} />
            </span>
          )}
        </p>
        <p className="text-caption text-muted">
          {isChanged ? (
            <>
              <span className="font-medium text-accent">{w.origin[setting.origin]}</span>{' '}
              <code className="font-mono [overflow-wrap:anywhere]">{revealedText(setting.place)}</code> · {w.default}:{' '}
              {setting.default.replaceAll('`', '')}
            </>
          ) : (
            w.origin.default
          )}
        </p>
      </div>
      <div className="min-w-0 text-muted">
        <p className="[overflow-wrap:anywhere]">{setting.meaning.replaceAll('`', '')}</p>
        <p className="text-caption">
          {w.by}{' '}
          {ways.map((way, index) => (
            <span key={way}>
              {index > 0 && ', '}
              <code className="font-mono [overflow-wrap:anywhere]">{way}</code>
            </span>
          ))}
        </p>
      </div>
    </li>
  );
}

// What is the same for all operations; shown while none is chosen.
import { Command } from '../../ui/copy.tsx';
import { revealedText } from '../../ui/reveal.ts';
import { BackToList } from './back-to-list.tsx';
import { words } from './words.ts';

export function Introduction({ missing, onBack }: { missing: string | undefined; onBack: () => void }) {
  const w = words.intro;
  return (
    <div className="flex max-w-2xl flex-col gap-3 p-5">
      {missing !== undefined && (
        <>
          <BackToList onBack={onBack} />
          <p role="status" className="text-warn [overflow-wrap:anywhere]">
            {words.notFound(revealedText(missing))}
          </p>
        </>
      )}
      <h2 className="text-strong font-semibold">{w.title}</h2>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-4 gap-y-2">
        <dt className="text-muted">{w.base}</dt>
        <dd>
          <Command text={`${location.origin}/v1`} />
        </dd>
        <dt className="text-muted">{w.document}</dt>
        <dd>
          <Command text={`curl ${location.origin}/v1/openapi.json`} />
        </dd>
      </dl>
      <ul className="flex list-disc flex-col gap-1.5 pl-5">
        {w.text.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
      <p className="text-muted">{w.choose}</p>
    </div>
  );
}

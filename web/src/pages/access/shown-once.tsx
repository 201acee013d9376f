// A secret that has just been made: to be copied now. It is held by the dialog that shows it and goes with it; it stands
// in no cache, no address and no storage.
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { Button } from '../../ui/button.tsx';
import { Command, copyText } from '../../ui/copy.tsx';
import { words } from './words.ts';

interface ShownOnceProps {
  readonly secret: string;
  /** How it is used, without the secret itself. */
  readonly use?: { readonly text: string; readonly command: string };
  readonly onDone: () => void;
}

const ofToken = {
  text: words.once.use,
  command: `read -rs QUARTERDECK_TOKEN; export QUARTERDECK_TOKEN QUARTERDECK_URL=${location.origin}`,
};

export function ShownOnce({ secret, use = ofToken, onDone }: ShownOnceProps) {
  const [isCopied, setCopied] = useState(false);
  const [isShown, setShown] = useState(false);
  const copy = async (): Promise<void> => setCopied(await copyText(secret));
  return (
    <div className="flex flex-col gap-3">
      <p className="text-muted">{words.once.text}</p>
      <div className="flex items-center gap-2 rounded-control border border-control bg-bg p-2">
        <code className="min-w-0 flex-1 font-mono text-[12px] leading-5 [overflow-wrap:anywhere]" data-secret>
          {isShown ? secret : `${secret.slice(0, 7)}${'•'.repeat(24)}`}
        </code>
        {!isShown && <Button onClick={() => setShown(true)}>{words.once.hidden}</Button>}
        <Button tone="primary" onClick={() => void copy()}>
          {isCopied ? <Check aria-hidden="true" size={13} /> : <Copy aria-hidden="true" size={13} />}
          {isCopied ? words.once.copied : words.once.copy}
        </Button>
      </div>
      <p className="text-muted">{use.text}</p>
      <Command text={use.command} />
      <div className="flex justify-end">
        <Button onClick={onDone}>{words.once.done}</Button>
      </div>
    </div>
  );
}

// Copying: a command in a box, and the verb itself.
import { Check, Copy } from 'lucide-react';
import { useState } from 'react';
import { IconButton } from './button.tsx';
import { toast } from './toasts.ts';
import { words } from './words.ts';

/** The clipboard exists only in secure contexts; elsewhere the reader is told. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    toast({ title: words.copyRefused, text, tone: 'err' });
    return false;
  }
}

export function CopyButton({ text, label = words.copy }: { text: string; label?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async (): Promise<void> => {
    if (!(await copyText(text))) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  };
  return (
    <IconButton label={isCopied ? words.copied : label} onClick={() => void copy()}>
      {isCopied ? <Check size={14} className="text-ok" /> : <Copy size={14} />}
    </IconButton>
  );
}

export function Command({ text }: { text: string }) {
  return (
    <div className="flex w-full items-center gap-2 rounded-control border border-line bg-bg py-0.5 pr-0.5 pl-2.5 text-left">
      <code className="min-w-0 flex-1 font-mono text-[12px] leading-5 [overflow-wrap:anywhere]">{text}</code>
      <CopyButton text={text} label={words.copyCommand(text)} />
    </div>
  );
}

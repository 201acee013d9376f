// Asks why something is paused and, where it can end by itself, for how long. The reason has the focus: typing it and
// Enter is all it takes.
import { useRef, useState } from 'react';
import { clock } from './clock.ts';
import { Dialog } from './dialog.tsx';
import { SelectField, TextField } from './field.tsx';
import { SubmitEnd, useSubmit } from './submit.tsx';
import { words } from './words.ts';

const MINUTES = [15, 60, 240, 1440];
const w = words.pause;

interface PauseDialogProps {
  readonly title: string;
  readonly text: string;
  readonly hasEnd?: boolean;
  readonly onPause: (pause: { reason?: string; until?: string }) => Promise<unknown>;
  readonly onClose: () => void;
}

export function PauseDialog({ title, text, hasEnd = false, onPause, onClose }: PauseDialogProps) {
  const first = useRef<HTMLInputElement>(null);
  const [reason, setReason] = useState('');
  const [minutes, setMinutes] = useState(0);
  const submit = useSubmit(async () => {
    await onPause({
      ...(reason.trim() === '' ? {} : { reason: reason.trim() }),
      ...(minutes === 0 ? {} : { until: new Date(clock.now() + minutes * 60_000).toISOString() }),
    });
    onClose();
  });
  return (
    <Dialog title={title} text={text} onClose={onClose} first={first}>
      <form onSubmit={submit.onSubmit} className="flex flex-col gap-4" noValidate>
        <TextField
          ref={first}
          label={w.reason}
          hint={w.reasonHint}
          value={reason}
          maxLength={500}
          onChange={(event) => setReason(event.target.value)}
        />
        {hasEnd && (
          <SelectField label={w.until} value={minutes} onChange={(event) => setMinutes(Number(event.target.value))}>
            <option value={0}>{w.resumed}</option>
            {MINUTES.map((n) => (
              <option key={n} value={n}>
                {w.minutes(n)}
              </option>
            ))}
          </SelectField>
        )}
        <SubmitEnd submit={submit} word={w.word} />
      </form>
    </Dialog>
  );
}

// Asks an operation that changes nothing, with the session of whoever reads, and shows what comes back.
import { Send } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { call } from '../../api/client.ts';
import { Button } from '../../ui/button.tsx';
import { TextField } from '../../ui/field.tsx';
import { Json } from '../../ui/json.tsx';
import { Panel } from '../../ui/panel.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import type { ApiOperation } from './openapi.ts';
import { addressOf } from './snippets.ts';
import { words } from './words.ts';

type Outcome = { readonly answer: unknown; readonly tookMs: number } | { readonly error: unknown };

export function TryIt({ operation }: { operation: ApiOperation }) {
  const fields = operation.parameters.filter((one) => one.in !== 'header');
  const [values, setValues] = useState<Readonly<Record<string, string>>>({});
  const [outcome, setOutcome] = useState<Outcome>();
  const [isBusy, setBusy] = useState(false);
  const isComplete = fields.every((one) => !one.required || (values[one.name] ?? '') !== '');
  const ask = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    const begun = performance.now();
    try {
      const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
      const answer = await call<object, unknown>({ method: 'GET', path: operation.path }, given);
      setOutcome({ answer, tookMs: Math.round(performance.now() - begun) });
    } catch (error) {
      setOutcome({ error });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Panel title={words.try.title} aside={words.try.text}>
      <form onSubmit={(event) => void ask(event)} className="flex flex-col gap-3 p-3" noValidate>
        {fields.length > 0 && (
          <div className="grid gap-3 [grid-template-columns:repeat(auto-fill,minmax(180px,1fr))]">
            {fields.map((field) => (
              <TextField
                key={field.name}
                label={field.required ? `${field.name} (${words.required})` : field.name}
                value={values[field.name] ?? ''}
                autoCapitalize="none"
                onChange={(event) => setValues({ ...values, [field.name]: event.target.value })}
              />
            ))}
          </div>
        )}
        <div className="flex flex-wrap items-center gap-3">
          <Button type="submit" tone="primary" disabled={isBusy || !isComplete}>
            <Send aria-hidden="true" size={13} /> {words.try.send}
          </Button>
          <code className="min-w-0 font-mono text-[12px] text-muted [overflow-wrap:anywhere]">
            GET {addressOf(operation, values)}
          </code>
        </div>
      </form>
      {outcome !== undefined &&
        ('error' in outcome ? (
          <div className="border-t border-line" data-try="refused">
            <ProblemView error={outcome.error} />
          </div>
        ) : (
          <div className="border-t border-line" data-try="answered">
            <p role="status" className="px-3 pt-2 text-caption text-muted">
              {words.try.took(200, outcome.tookMs)}
            </p>
            <Json value={outcome.answer} className="max-h-[50vh]" />
          </div>
        ))}
    </Panel>
  );
}

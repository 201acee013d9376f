// The form of a new database role: for which agent.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { call } from '../../api/client.ts';
import { agentsQuery } from '../../api/queries.ts';
import { routes } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { SelectField } from '../../ui/field.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import type { Connection } from './sql-tab.tsx';
import { words } from './words.ts';

const w = words.sql;

interface NewSqlRoleProps {
  readonly onClose: () => void;
  readonly onMade: (connection: Connection) => void;
}

export function NewSqlRole({ onClose, onMade }: NewSqlRoleProps) {
  const queries = useQueryClient();
  const agents = useQuery(agentsQuery).data?.items ?? [];
  const [agent, setAgent] = useState('');
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const make = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (agent === '' || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      const made = await call(routes.createSqlRole, { agent });
      void queries.invalidateQueries({ queryKey: ['access', 'sql-roles'] });
      onMade({ agent: made.agent, url: made.url });
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={w.title} onClose={onClose} isKept>
      <form onSubmit={(event) => void make(event)} className="flex flex-col gap-4" noValidate>
        <SelectField
          label={w.agent}
          hint={w.agentHint}
          problem={isTried && agent === '' ? w.agentMissing : undefined}
          value={agent}
          onChange={(event) => setAgent(event.target.value)}
        >
          <option value="">{w.choose}</option>
          {agents.map((one) => (
            <option key={`${one.agent}@${one.tenant}`} value={`${one.agent}@${one.tenant}`}>
              {one.agent} · {one.tenant}
            </option>
          ))}
        </SelectField>
        {error !== undefined && (
          <div className="-m-4 mt-0">
            <ProblemView error={error} />
          </div>
        )}
        <div className="flex justify-end">
          <Button type="submit" tone="primary" disabled={isBusy}>
            {w.make}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

// Tenants: the operator's clients, and adding one.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { type FormEvent, useState } from 'react';
import { call } from '../../api/client.ts';
import { tenantsQuery } from '../../api/queries.ts';
import { routes } from '../../api/routes.ts';
import { Button, buttonClasses } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/empty.tsx';
import { TextField } from '../../ui/field.tsx';
import { ProblemView } from '../../ui/problem-view.tsx';
import { Ago } from '../../ui/time.tsx';
import { toast } from '../../ui/toasts.ts';
import { ListOf, Row } from './rows.tsx';
import { words } from './words.ts';

const w = words.tenants;
const SLUG = /^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$/;

export function TenantsTab() {
  const [isAdding, setAdding] = useState(false);
  const query = useQuery({
    ...tenantsQuery,
    select: (list) => ({ ...list, items: list.items.filter((one) => one.tenant !== 'fleet') }),
  });
  return (
    <>
      <ListOf
        label={words.tabs.tenants}
        text={w.text}
        query={query}
        actions={
          <Button tone="primary" onClick={() => setAdding(true)}>
            <Plus aria-hidden="true" size={13} /> {w.add}
          </Button>
        }
        none={<Empty kind="nothing-yet" title={w.none.title} text={w.none.text} />}
      >
        {(tenants) => (
          <ul aria-label={words.tabs.tenants}>
            {tenants.map(({ tenant, name, created_at }) => (
              <Row
                hasWideActions
                key={tenant}
                id={tenant}
                title={
                  <>
                    {tenant} <span className="font-normal text-muted">{name}</span>
                  </>
                }
                facts={[
                  <span key="made">
                    {words.created} <Ago at={created_at} />
                  </span>,
                ]}
                actions={
                  <>
                    <Link to="/agents" search={{ tenant }} className={buttonClasses('quiet', 'phone:px-2')}>
                      {w.agents}
                    </Link>
                    <Link to="/jobs" search={{ tenant }} className={buttonClasses('quiet', 'phone:px-2')}>
                      {w.jobs}
                    </Link>
                    <Link to="/events" search={{ tenant }} className={buttonClasses('quiet', 'phone:px-2')}>
                      {w.events}
                    </Link>
                  </>
                }
              />
            ))}
          </ul>
        )}
      </ListOf>
      {isAdding && <NewTenant onClose={() => setAdding(false)} />}
    </>
  );
}

function NewTenant({ onClose }: { onClose: () => void }) {
  const queries = useQueryClient();
  const [tenant, setTenant] = useState('');
  const [name, setName] = useState('');
  const [isTried, setTried] = useState(false);
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const add = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setTried(true);
    if (!SLUG.test(tenant) || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await call(routes.createTenant, { tenant, ...(name.trim() === '' ? {} : { name: name.trim() }) });
      void queries.invalidateQueries({ queryKey: ['access', 'tenants'] });
      toast({ title: w.made(tenant) });
      onClose();
    } catch (failure) {
      setError(failure);
      setBusy(false);
    }
  };
  return (
    <Dialog title={w.title} onClose={onClose} isKept>
      <form onSubmit={(event) => void add(event)} className="flex flex-col gap-4" noValidate>
        <TextField
          label={w.slug}
          hint={w.slugHint}
          problem={isTried && !SLUG.test(tenant) ? w.slugBad : undefined}
          value={tenant}
          maxLength={63}
          autoCapitalize="none"
          onChange={(event) => setTenant(event.target.value)}
        />
        <TextField
          label={w.name}
          hint={w.nameHint}
          value={name}
          maxLength={200}
          onChange={(event) => setName(event.target.value)}
        />
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

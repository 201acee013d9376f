// Database roles of agents: who speaks plain SQL, a new password, and the end of it.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { CircleCheck, Plus, RotateCw, TriangleAlert } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import { sqlRolesQuery } from '../../api/queries.ts';
import { routes, type SqlRole } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import { confirm } from '../../ui/confirm.ts';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/empty.tsx';
import { Ago } from '../../ui/time.tsx';
import { toast } from '../../ui/toasts.ts';
import { textOf } from './actions.ts';
import { NewSqlRole } from './new-sql-role.tsx';
import { ListOf, Row } from './rows.tsx';
import { ShownOnce } from './shown-once.tsx';
import { words } from './words.ts';

const w = words.sql;

/** A connection string that has just been made, for as long as it is shown. */
export interface Connection {
  readonly agent: string;
  readonly url: string;
}

export function SqlTab() {
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<Connection>();
  const query = useQuery(sqlRolesQuery);
  return (
    <>
      <ListOf
        label={words.tabs.sql}
        text={w.text}
        query={query}
        actions={
          <Button tone="primary" onClick={() => setAdding(true)}>
            <Plus aria-hidden="true" size={13} /> {w.add}
          </Button>
        }
        none={<Empty kind="nothing-yet" title={w.none.title} text={w.none.text} />}
      >
        {(roles) => (
          <ul aria-label={words.tabs.sql}>
            {roles.map((role) => (
              <RoleRow key={role.role} role={role} onMade={setMade} />
            ))}
          </ul>
        )}
      </ListOf>
      {isAdding && (
        <NewSqlRole
          onClose={() => setAdding(false)}
          onMade={(connection) => {
            setAdding(false);
            setMade(connection);
          }}
        />
      )}
      {made !== undefined && (
        <Dialog title={w.once(made.agent)} onClose={() => setMade(undefined)} isKept>
          <ShownOnce
            secret={made.url}
            use={{ text: w.use, command: 'read -rs PGURL; psql "$PGURL"' }}
            onDone={() => setMade(undefined)}
          />
        </Dialog>
      )}
    </>
  );
}

function RoleRow({ role, onMade }: { role: SqlRole; onMade: (connection: Connection) => void }) {
  const queries = useQueryClient();
  const address = `${role.agent}@${role.tenant}`;
  const renewing = async (run: () => Promise<unknown>): Promise<void> => {
    try {
      await run();
    } catch (error) {
      toast({ title: words.tokens.failed, text: textOf(error), tone: 'err' });
    } finally {
      void queries.invalidateQueries({ queryKey: ['access', 'sql-roles'] });
    }
  };
  const rotate = async (): Promise<void> => {
    const isSure = await confirm({ title: w.rotateTitle(role.agent), text: w.rotateText, word: w.rotate });
    if (!isSure) return;
    await renewing(async () => {
      const { url } = await call(routes.createSqlRole, { agent: address });
      onMade({ agent: role.agent, url });
    });
  };
  const remove = async (): Promise<void> => {
    const isSure = await confirm({ title: w.removeTitle(role.agent), text: w.removeText, word: w.remove });
    if (!isSure) return;
    await renewing(async () => {
      await call(routes.removeSqlRole, { agent: address });
      toast({ title: w.removed(role.agent) });
    });
  };
  return (
    <Row
      hasWideActions
      id={role.role}
      title={
        <>
          <Link to="/agents/$agent" params={{ agent: address }} className="hover:underline phone:py-2">
            {role.agent}
          </Link>
          <code className="font-mono text-[12px] font-normal text-muted">{role.role}</code>
          <span className={`inline-flex items-center gap-1.5 font-normal ${role.is_ready ? 'text-ok' : 'text-warn'}`}>
            {role.is_ready ? (
              <CircleCheck aria-hidden="true" size={13} />
            ) : (
              <TriangleAlert aria-hidden="true" size={13} />
            )}
            {role.is_ready ? w.ready : w.notReady}
          </span>
        </>
      }
      facts={[
        words.tenant(role.tenant),
        <span key="made">
          {words.created} <Ago at={role.created_at} />
        </span>,
        <span key="password">
          {w.passwordAt} <Ago at={role.password_at} />
        </span>,
      ]}
      actions={
        <span className="flex flex-wrap justify-end gap-1">
          <Button aria-label={w.rotateOf(role.agent)} onClick={() => void rotate()}>
            <RotateCw aria-hidden="true" size={13} /> {w.rotate}
          </Button>
          <Button aria-label={w.removeOf(role.agent)} onClick={() => void remove()}>
            {w.remove}
          </Button>
        </span>
      }
    />
  );
}

// Browsers that are signed in, and ending one of them.
import { useQuery } from '@tanstack/react-query';
import { Laptop } from 'lucide-react';
import { sessionsQuery } from '../../api/queries.ts';
import type { Session } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import { Command } from '../../ui/copy.tsx';
import { Empty } from '../../ui/empty.tsx';
import { Ago } from '../../ui/time.tsx';
import { useAccessActions } from './actions.ts';
import { browserWords } from './browser-words.ts';
import { ListOf, Row } from './rows.tsx';
import { words } from './words.ts';

export function SessionsTab() {
  const query = useQuery(sessionsQuery);
  return (
    <ListOf
      label={words.tabs.sessions}
      text={words.sessions.text}
      query={query}
      none={
        <Empty kind="nothing-yet" title={words.sessions.none.title} text={words.sessions.none.text}>
          <Command text="quarterdeck open" />
        </Empty>
      }
    >
      {(sessions) => (
        <ul aria-label={words.tabs.sessions}>
          {sessions.map((session) => (
            <SessionRow key={session.session_id} session={session} />
          ))}
        </ul>
      )}
    </ListOf>
  );
}

function SessionRow({ session }: { session: Session }) {
  const actions = useAccessActions();
  const w = words.sessions;
  return (
    <Row
      id={session.session_id}
      title={
        <>
          {session.operator}
          {session.is_current && (
            <span className="inline-flex items-center gap-1.5 font-normal text-accent">
              <Laptop aria-hidden="true" size={13} /> {w.current}
            </span>
          )}
        </>
      }
      facts={[
        <span key="browser" title={session.user_agent ?? undefined}>
          {session.user_agent === null ? w.unknown : browserWords(session.user_agent)}
        </span>,
        ...(session.address === null ? [] : [w.from(session.address)]),
        <span key="since">
          {w.signedIn} <Ago at={session.created_at} />
        </span>,
        <span key="until">
          {w.ends} <Ago at={session.expires_at} />
        </span>,
      ]}
      actions={
        <Button aria-label={`${w.revoke} ${session.session_id}`} onClick={() => void actions.revokeSession(session)}>
          {words.end}
        </Button>
      }
    />
  );
}

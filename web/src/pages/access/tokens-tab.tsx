// Tokens of operators: what each is for, what it may do, how long, and when it was used last.
import { useQuery } from '@tanstack/react-query';
import { Ban, Clock, Plus } from 'lucide-react';
import { useState } from 'react';
import { tokensQuery } from '../../api/queries.ts';
import type { Token } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import { clock, useNow } from '../../ui/clock.ts';
import { Empty } from '../../ui/empty.tsx';
import { Ago } from '../../ui/time.tsx';
import { AbilityWords } from './ability-words.tsx';
import { useAccessActions } from './actions.ts';
import { NewToken } from './new-token.tsx';
import { ListOf, Row } from './rows.tsx';
import { stateOfToken } from './token-state.ts';
import { words } from './words.ts';

interface TokensTabProps {
  readonly showsEnded: boolean;
  readonly onShowEnded: (shows: boolean) => void;
}

export function TokensTab({ showsEnded, onShowEnded }: TokensTabProps) {
  const [isMaking, setMaking] = useState(false);
  const query = useQuery({
    ...tokensQuery,
    select: (list) => ({ ...list, items: list.items.filter((token) => token.kind === 'operator') }),
  });
  const ended = query.data?.items.filter((token) => stateOfToken(token, clock.now()) !== 'valid').length ?? 0;
  return (
    <>
      <ListOf
        label={words.tabs.tokens}
        text={words.tokens.text}
        query={query}
        actions={
          <>
            {ended > 0 && (
              <Button tone="quiet" aria-pressed={showsEnded} onClick={() => onShowEnded(!showsEnded)}>
                {showsEnded ? words.hideEnded : words.showEnded(ended)}
              </Button>
            )}
            <Button tone="primary" onClick={() => setMaking(true)}>
              <Plus aria-hidden="true" size={13} /> {words.tokens.add}
            </Button>
          </>
        }
        none={<Empty kind="nothing-yet" title={words.tokens.none.title} text={words.tokens.none.text} />}
      >
        {(tokens) => (
          <ul aria-label={words.tabs.tokens}>
            {tokens
              .filter((token) => showsEnded || stateOfToken(token, clock.now()) === 'valid')
              .map((token) => (
                <TokenRow key={token.token_id} token={token} />
              ))}
          </ul>
        )}
      </ListOf>
      {isMaking && <NewToken onClose={() => setMaking(false)} />}
    </>
  );
}

function TokenRow({ token }: { token: Token }) {
  const actions = useAccessActions();
  const state = stateOfToken(token, useNow());
  return (
    <Row
      id={token.token_id}
      isOver={state !== 'valid'}
      title={
        <>
          <span className="min-w-0 [overflow-wrap:anywhere]">{token.name}</span>
          <code className="font-mono text-[12px] font-normal text-muted">{token.display}</code>
          {state !== 'valid' && (
            <span className="inline-flex items-center gap-1 font-normal text-muted">
              {state === 'revoked' ? <Ban aria-hidden="true" size={13} /> : <Clock aria-hidden="true" size={13} />}
              {words.states[state]}
            </span>
          )}
        </>
      }
      facts={[words.of(token.of), words.tenant(token.tenant), ...timesOf(token)]}
      actions={
        state === 'valid' && (
          <Button aria-label={words.tokens.revoke(token.name)} onClick={() => void actions.revokeToken(token)}>
            {words.end}
          </Button>
        )
      }
    >
      <div className="text-muted">
        <AbilityWords abilities={token.abilities} />
      </div>
    </Row>
  );
}

export function timesOf(token: Token) {
  return [
    <span key="made">
      {words.created} <Ago at={token.created_at} />
    </span>,
    token.last_used_at === null ? (
      words.neverUsed
    ) : (
      <span key="used">
        {words.lastUsed} <Ago at={token.last_used_at} />
      </span>
    ),
    token.revoked_at !== null ? (
      <span key="ended">
        {words.revokedAt} <Ago at={token.revoked_at} />
      </span>
    ) : token.expires_at === null ? (
      words.neverExpires
    ) : (
      <span key="expires">
        {words.expires} <Ago at={token.expires_at} />
      </span>
    ),
  ];
}

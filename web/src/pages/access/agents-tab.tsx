// Credentials of agents: who has which, a new one, and the end of the old.
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { RotateCw } from 'lucide-react';
import { useState } from 'react';
import { call } from '../../api/client.ts';
import { tokensQuery } from '../../api/queries.ts';
import { routes, type Token } from '../../api/routes.ts';
import { Button } from '../../ui/button.tsx';
import { clock } from '../../ui/clock.ts';
import { Command } from '../../ui/copy.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Empty } from '../../ui/empty.tsx';
import { toast } from '../../ui/toasts.ts';
import { textOf, useAccessActions } from './actions.ts';
import { ListOf, Row } from './rows.tsx';
import { ShownOnce } from './shown-once.tsx';
import { type AgentTokens, replaceable, tokensOfAgents } from './token-state.ts';
import { timesOf } from './tokens-tab.tsx';
import { words } from './words.ts';

interface Issued {
  readonly agent: string;
  readonly secret: string;
}

export function AgentsTab() {
  const [issued, setIssued] = useState<Issued>();
  const query = useQuery({
    ...tokensQuery,
    select: (list) => ({ ...list, items: tokensOfAgents(list.items, clock.now()) }),
  });
  return (
    <>
      <ListOf
        label={words.tabs.agents}
        text={words.agents.text}
        query={query}
        none={
          <Empty kind="nothing-yet" title={words.agents.none.title} text={words.agents.none.text}>
            <Command text="quarterdeck agent add scout" />
          </Empty>
        }
      >
        {(agents) => (
          <ul aria-label={words.tabs.agents}>
            {agents.map((one) => (
              <AgentRow key={`${one.agent}@${one.tenant}`} of={one} onIssued={setIssued} />
            ))}
          </ul>
        )}
      </ListOf>
      {issued !== undefined && (
        <Dialog
          title={words.agents.rotateTitle(issued.agent)}
          text={words.agents.rotated}
          onClose={() => setIssued(undefined)}
          isKept
        >
          <ShownOnce secret={issued.secret} onDone={() => setIssued(undefined)} />
        </Dialog>
      )}
    </>
  );
}

function AgentRow({
  of: { agent, tenant, tokens },
  onIssued,
}: {
  of: AgentTokens;
  onIssued: (issued: Issued) => void;
}) {
  const actions = useAccessActions();
  const queries = useQueryClient();
  const [isBusy, setBusy] = useState(false);
  const address = `${agent}@${tenant}`;
  const older = replaceable(tokens);
  const issue = async (): Promise<void> => {
    setBusy(true);
    try {
      const { token } = await call(routes.issueAgentToken, { agent: address });
      onIssued({ agent, secret: token });
      void queries.invalidateQueries({ queryKey: ['access', 'tokens'] });
    } catch (error) {
      toast({ title: words.tokens.failed, text: textOf(error), tone: 'err' });
    } finally {
      setBusy(false);
    }
  };
  return (
    <Row
      hasWideActions
      id={address}
      title={
        <Link to="/agents/$agent" params={{ agent: address }} className="hover:underline phone:py-2">
          {agent}
        </Link>
      }
      facts={[words.tenant(tenant), words.agents.count(tokens.length)]}
      actions={
        <Button aria-label={words.agents.rotateOf(agent)} disabled={isBusy} onClick={() => void issue()}>
          <RotateCw aria-hidden="true" size={13} /> {words.agents.rotate}
        </Button>
      }
    >
      <ul className="mt-1 flex flex-col gap-1">
        {tokens.map((token) => (
          <Credential key={token.token_id} token={token} />
        ))}
      </ul>
      {older.length > 0 && (
        <Button className="mt-1" onClick={() => void actions.revokeOthers(agent, older)}>
          {words.agents.endOthers(older.length)}
        </Button>
      )}
    </Row>
  );
}

function Credential({ token }: { token: Token }) {
  return (
    <li data-credential={token.token_id} className="flex flex-wrap items-baseline gap-x-3 text-caption text-muted">
      <code className="font-mono text-[12px]">{token.display}</code>
      <span>{token.name}</span>
      {timesOf(token).map((time, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the times of a token never move
        <span key={index}>{time}</span>
      ))}
    </li>
  );
}

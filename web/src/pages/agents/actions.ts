// What an operator can do to an agent. Pausing shows at once and can be taken back; restarting is asked about.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';
import { type AddressedAgent, type AgentList, agentsQuery } from '../../api/queries.ts';
import { revealedAgent } from '../../api/revealed.ts';
import { type Agent, type AgentDetail, routes } from '../../api/routes.ts';
import { confirm } from '../../ui/confirm.ts';
import { toast } from '../../ui/toasts.ts';
import { words } from './words.ts';

type Target = Pick<AddressedAgent, 'address' | 'agent' | 'tenant' | 'desired' | 'kind'>;

export interface AgentActions {
  /** Pauses an agent that may work, lets a paused or stopped one work again. */
  togglePause(agent: Target): void;
  restart(agent: Target): void;
}

export function useAgentActions(): AgentActions {
  const queries = useQueryClient();
  const put = (row: Agent): void => {
    const isRow = (item: Agent): boolean => item.agent === row.agent && item.tenant === row.tenant;
    queries.setQueryData<AgentList>(
      agentsQuery.queryKey,
      (list) => list && { ...list, items: list.items.map((item) => (isRow(item) ? { ...item, ...row } : item)) },
    );
    queries.setQueriesData<AgentDetail>(
      { queryKey: ['agents'], predicate: (query) => query.queryKey.length === 2 },
      (detail) => detail && (isRow(detail) ? { ...detail, ...row } : detail),
    );
  };
  const current = (agent: Target): Agent | undefined =>
    queries
      .getQueryData<AgentList>(agentsQuery.queryKey)
      ?.items.find((item) => item.agent === agent.agent && item.tenant === agent.tenant);

  const order = useMutation({
    mutationFn: ({ agent, desired }: { agent: Target; desired: 'pause' | 'run' }) =>
      call(desired === 'pause' ? routes.pauseAgent : routes.resumeAgent, { agent: agent.address }),
    onMutate: async ({ agent, desired }) => {
      await queries.cancelQueries({ queryKey: ['agents'] });
      const before = current(agent);
      if (before !== undefined && desired === 'pause') put({ ...before, desired, state: 'paused' });
      if (before !== undefined && desired === 'run') put({ ...before, desired });
      return { before };
    },
    onSuccess: (row, { agent, desired }) => {
      put(revealedAgent(row));
      toast({
        title: desired === 'pause' ? words.actions.paused(agent.agent) : words.actions.resumed(agent.agent),
        ...(desired === 'pause' ? { text: words.actions.pausedText } : {}),
        action: {
          word: words.actions.undo,
          run: () => order.mutate({ agent, desired: desired === 'pause' ? 'run' : 'pause' }),
        },
      });
    },
    onError: (error, { agent }, context) => {
      if (context?.before !== undefined) put(context.before);
      refused(agent, error);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ['status'] }),
  });

  const restart = useMutation({
    mutationFn: (agent: Target) => call(routes.restartAgent, { agent: agent.address }),
    onSuccess: (row, agent) => {
      put(revealedAgent(row));
      toast({ title: words.actions.restarting(agent.agent) });
    },
    onError: (error, agent) => refused(agent, error),
  });

  return {
    togglePause: (agent) => order.mutate({ agent, desired: agent.desired === 'run' ? 'pause' : 'run' }),
    restart: (agent) => {
      if (agent.kind !== 'process') return;
      const question = {
        title: words.actions.restartTitle(agent.agent),
        text: words.actions.restartText,
        word: words.actions.restart,
      };
      void confirm(question).then((yes) => yes && restart.mutate(agent));
    },
  };
}

function refused(agent: Target, error: unknown): void {
  const text = error instanceof Problem ? [error.message, error.hint].filter(Boolean).join('. ') : String(error);
  toast({ title: words.actions.failed(agent.agent), text, tone: 'err' });
}

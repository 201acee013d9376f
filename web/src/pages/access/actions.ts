// What an operator can end here. All of it is asked about, because none of it can be taken back.
import { useQueryClient } from '@tanstack/react-query';
import { call } from '../../api/client.ts';
import { Problem } from '../../api/problem.ts';
import { routes, type Session, type Token } from '../../api/routes.ts';
import { endSession } from '../../app/session.ts';
import { confirm } from '../../ui/confirm.ts';
import { toast } from '../../ui/toasts.ts';
import { words } from './words.ts';

export interface AccessActions {
  revokeToken(token: Token): Promise<void>;
  /** Ends all of these without asking for each. */
  revokeOthers(agent: string, tokens: readonly Token[]): Promise<void>;
  revokeSession(session: Session): Promise<void>;
}

export function useAccessActions(): AccessActions {
  const queries = useQueryClient();
  const ending = async (run: () => Promise<unknown>, done: string): Promise<void> => {
    try {
      await run();
      toast({ title: done });
    } catch (error) {
      toast({ title: words.tokens.failed, text: textOf(error), tone: 'err' });
    } finally {
      void queries.invalidateQueries({ queryKey: ['access'] });
    }
  };
  return {
    async revokeToken(token) {
      const t = words.tokens;
      const isSure = await confirm({
        title: t.revokeTitle(token.name),
        text: t.revokeText(token.display),
        word: t.revokeWord,
      });
      if (isSure) await ending(() => call(routes.revokeToken, { token_id: token.token_id }), t.revoked(token.name));
    },
    async revokeOthers(agent, tokens) {
      const t = words.agents;
      const isSure = await confirm({
        title: t.endOthersTitle(agent, tokens.length),
        text: t.endOthersText,
        word: words.tokens.revokeWord,
      });
      if (!isSure) return;
      await ending(async () => {
        for (const { token_id } of tokens) await call(routes.revokeToken, { token_id });
      }, t.ended(agent));
    },
    async revokeSession(session) {
      const t = words.sessions;
      const isSure = await confirm({
        title: t.revokeTitle(session.operator),
        text: session.is_current ? t.revokeOwnText : t.revokeText,
        word: t.revokeWord,
      });
      if (!isSure) return;
      await ending(async () => {
        await call(routes.revokeSession, { session_id: session.session_id });
        if (session.is_current) endSession();
      }, t.revoked);
    },
  };
}

export function textOf(error: unknown): string {
  return error instanceof Problem ? [error.message, error.hint].filter(Boolean).join('. ') : String(error);
}

// What an operator can do to a channel beside changing its limits.
import { call } from '../../api/client.ts';
import { type Channel, routes } from '../../api/routes.ts';
import { confirm } from '../../ui/confirm.ts';
import { useDoing } from '../../ui/doing.ts';
import { toast } from '../../ui/toasts.ts';
import { words } from './words.ts';

export interface ChannelActions {
  pause(channel: Channel, pause: { reason?: string; until?: string }): Promise<void>;
  resume(channel: Channel): Promise<void>;
  remove(channel: Channel): Promise<void>;
}

const w = words.actions;

export function useChannelActions(): ChannelActions {
  const doing = useDoing();
  return {
    async pause({ channel, tenant }, pause) {
      await call(routes.pauseChannel, { channel, tenant, ...pause });
      toast({ title: w.paused(channel) });
    },
    resume: ({ channel, tenant }) =>
      doing(async () => {
        await call(routes.resumeChannel, { channel, tenant });
        toast({ title: w.resumed(channel) });
      }),
    async remove({ channel, tenant }) {
      if (!(await confirm({ title: w.removeTitle(channel), text: w.removeText, word: w.removeWord }))) return;
      await doing(async () => {
        await call(routes.removeChannel, { channel, tenant });
        toast({ title: w.removed(channel) });
      });
    },
  };
}

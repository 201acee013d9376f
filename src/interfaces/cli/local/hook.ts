// `quarterdeck hook …`: git and Claude Code report what happens in them. How it is done is in hook/, loaded only then; what
// runs inside of the tools is in src/interfaces/hooks/.
import { z } from 'zod';
import { localOperation } from '../local-operation.ts';
import { placeInput } from './place.ts';

const tool = z.enum(['git', 'claude'], 'git or claude').describe('git, or claude for Claude Code');
const repo = z.string().min(1).default('.').describe('The repository; where you are when absent');
const scope = z
  .enum(['local', 'project', 'user'], 'local, project or user')
  .default('local')
  .describe('Of claude, which settings: yours of this directory (local), its committed ones (project), or user');

export const installHook = localOperation({
  name: 'hook.install',
  summary: 'Let git or Claude Code report what happens; hooks that are there go on as before',
  input: z.strictObject({
    tool,
    repo,
    scope,
    shared: z
      .boolean()
      .default(false)
      .describe('Of git, also where the hooks are committed or not of this repository only'),
    url: z.string().min(1).optional().describe('Address of the server to report to'),
    context: z.string().min(1).optional().describe('The context of the server to report to'),
    ...placeInput,
  }),
  cli: { words: 'hook install', positional: ['tool'], example: 'quarterdeck hook install git --repo ~/shop' },
  async run(input, output) {
    const { install } = await import('./hook/changes.ts');
    return install(input, output);
  },
});

export const removeHook = localOperation({
  name: 'hook.remove',
  summary: 'Take the hooks of git or Claude Code out again and leave what was there before',
  input: z.strictObject({ tool, repo, scope }),
  cli: { words: 'hook remove', positional: ['tool'], example: 'quarterdeck hook remove git --repo ~/shop' },
  async run(input, output) {
    const { remove } = await import('./hook/changes.ts');
    return remove(input, output);
  },
});

export const hookStatus = localOperation({
  name: 'hook.status',
  summary: 'Which hooks report from here, where to, and what waits to be sent',
  input: z.strictObject({ repo }),
  cli: { words: 'hook status', aliases: ['hook list'], example: 'quarterdeck hook status' },
  async run(input, output) {
    const { status } = await import('./hook/status.ts');
    return status(input, output);
  },
});

export const sendHookEvents = localOperation({
  name: 'hook.send',
  summary: 'Send now what hooks on this machine noted while the server was away',
  input: z.strictObject({}),
  cli: { words: 'hook send', example: 'quarterdeck hook send' },
  async run(_input, output) {
    const { send } = await import('./hook/status.ts');
    return send(output);
  },
});

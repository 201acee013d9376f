// `quarterdeck context add|use|list|show|remove`: the servers that this user works with. How they are kept is in
// contexts.ts. A token comes by prompt or stdin, never in an argument: those are seen by every user of the machine.
import { z } from 'zod';
import { CliFailure } from '../client.ts';
import { addressOf } from '../connection.ts';
import { CONTEXT_NAME, Contexts, LOCAL } from '../contexts.ts';
import { exitCodes } from '../exit-codes.ts';
import { localOperation, type Output } from '../local-operation.ts';
import { cellText, table } from '../show.ts';

const name = z.string().regex(CONTEXT_NAME, 'lower-case letters, digits, and . _ - between them').describe('Its name');

export const addContext = localOperation({
  name: 'context.add',
  summary: 'Name a server; its token is asked for, or read from stdin',
  input: z.strictObject({
    name: name.refine(
      (text) => text !== LOCAL,
      `a name other than ${LOCAL}, which is the installation of this machine`,
    ),
    server: z.string().min(1).max(2048).describe('Its address, like https://deck.example.com'),
    use: z.boolean().default(false).describe('Also choose it for the commands that follow'),
    replace: z.boolean().default(false).describe('When there is one of this name already'),
  }),
  cli: {
    words: 'context add',
    positional: ['name', 'server'],
    example: 'quarterdeck context add office https://deck.example.com',
  },
  async run({ name, server, use, replace }, output) {
    const contexts = new Contexts();
    const url = addressOf(server, 'the server');
    if (contexts.has(name) && !replace) {
      throw new CliFailure(`there is a context ${name} already`, exitCodes.conflict, 'Give --replace to change it.');
    }
    const { readSecret } = await import('../secret-input.ts');
    const { tryToken } = await import('./try-token.ts');
    const token = await readSecret(`Token for ${url}: `, output.say);
    const tried = await tryToken({ url, token });
    contexts.put(name, { url, token });
    if (use) contexts.use(name);
    if (output.json) output.out(JSON.stringify({ ...entry(contexts, name), ...tried }));
    else tell(contexts, name, tried, output);
    return exitCodes.ok;
  },
});

function tell(
  contexts: Contexts,
  name: string,
  tried: { readonly answers: boolean; readonly as: string | null },
  output: Output,
): void {
  const { url, token } = contexts.get(name);
  if (tried.as !== null) output.say(`${url} knows this token: ${tried.as}`);
  else if (!tried.answers) output.say(`kept, but ${url} does not answer now, so the token was not tried`);
  else output.say('kept without a token: it is taken from QUARTERDECK_TOKEN');
  if (token !== undefined && url.startsWith('http:') && !/^http:\/\/(127\.|localhost|\[::1\])/.test(url)) {
    output.say('this address has no TLS: whoever is on the way reads the token');
  }
  if (contexts.current() !== name) output.say(`choose it with: quarterdeck context use ${name}`);
}

export const useContext = localOperation({
  name: 'context.use',
  summary: 'Choose the server that commands speak to',
  input: z.strictObject({ name: name.describe(`Its name; ${LOCAL} is the installation of this machine`) }),
  cli: { words: 'context use', positional: ['name'], example: 'quarterdeck context use local' },
  async run({ name }, output) {
    const contexts = new Contexts();
    contexts.use(name);
    if (output.json) output.out(JSON.stringify(entry(contexts, name)));
    else output.say(`commands speak to ${name} now`);
    return exitCodes.ok;
  },
});

export const listContexts = localOperation({
  name: 'context.list',
  summary: 'The servers that were named, and which one commands speak to',
  input: z.strictObject({}),
  cli: { words: 'context list', example: 'quarterdeck context list' },
  async run(_input, output) {
    const contexts = new Contexts();
    const items = [LOCAL, ...contexts.names()].map((one) => listed(contexts, one));
    if (output.json) output.out(JSON.stringify({ items }));
    else output.out(table(items, ['name', 'current', 'url', 'token', 'note'], output.look));
    return exitCodes.ok;
  },
});

export const showContext = localOperation({
  name: 'context.show',
  summary: 'One server that was named; never its token',
  input: z.strictObject({ name: name.optional().describe('Its name; without it the chosen one') }),
  cli: { words: 'context show', positional: ['name'], example: 'quarterdeck context show' },
  async run({ name }, output) {
    const contexts = new Contexts();
    const shown = entry(contexts, name ?? contexts.current());
    if (output.json) output.out(JSON.stringify(shown));
    else for (const [field, value] of Object.entries(shown)) output.out(`${field.padEnd(8)} ${cellText(value)}`);
    return exitCodes.ok;
  },
});

export const removeContext = localOperation({
  name: 'context.remove',
  summary: 'Forget a server and its token; the token itself stays valid until it is revoked',
  input: z.strictObject({ name }),
  cli: { words: 'context remove', positional: ['name'], example: 'quarterdeck context remove office' },
  async run({ name }, output) {
    new Contexts().remove(name);
    if (output.json) output.out(JSON.stringify({ name, removed: true }));
    else output.say(`${name} is forgotten`);
    return exitCodes.ok;
  },
});

interface Entry {
  readonly name: string;
  readonly current: boolean;
  readonly url: string | null;
  readonly token: 'kept' | 'none' | 'of the installation';
}

function entry(contexts: Contexts, name: string): Entry {
  const current = contexts.current() === name;
  if (name === LOCAL) return { name, current, url: null, token: 'of the installation' };
  const { url, token } = contexts.get(name);
  return { name, current, url, token: token === undefined ? 'none' : 'kept' };
}

// One that cannot be used does not hide the others.
function listed(contexts: Contexts, name: string): Record<string, unknown> {
  try {
    return { ...entry(contexts, name), note: null };
  } catch (error) {
    if (!(error instanceof CliFailure)) throw error;
    return { name, current: contexts.current() === name, url: null, token: null, note: error.message };
  }
}

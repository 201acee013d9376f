// `quarterdeck database move`: what it takes. How it is done is in database-move-run.ts, loaded only then.
import { z } from 'zod';
import { localOperation } from '../local-operation.ts';
import { placeInput } from './place.ts';

const input = z.strictObject({
  to: z
    .string()
    .min(1)
    .max(4096)
    .optional()
    .describe('`embedded`, or postgres://user@host:port/database; with a password rather by --url-file or --url-env'),
  url_file: z.string().min(1).optional().describe('File with the address in its first line; - reads standard input'),
  url_env: z
    .string()
    .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'the name of a variable')
    .optional()
    .describe('Name of the environment variable that holds the address'),
  dry_run: z.boolean().default(false).describe('Only says what would be done and what stands against it'),
  ...placeInput,
});

export type MoveInput = z.output<typeof input>;

export const moveDatabase = localOperation({
  name: 'database.move',
  summary:
    'Move everything to a PostgreSQL of your own, or back to the embedded one, every table proven; agents run on',
  input,
  cli: {
    words: 'database move',
    positional: ['to'],
    example: 'quarterdeck database move --url-file target.url --dry-run',
  },
  async run(given, output) {
    const { move } = await import('./database-move-run.ts');
    return move(given, output);
  },
});

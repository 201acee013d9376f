// Where a database is to be moved to: said by argument, file, standard input or variable. An address with a password does not
// belong on a command line, where every user of the machine sees it.
import { readFileSync } from 'node:fs';
import { settings } from '../../../config/settings.ts';
import type { Place } from '../../../roles/keeper/move/place.ts';
import { CliFailure } from '../client.ts';
import { exitCodes } from '../exit-codes.ts';
import type { Output } from '../local-operation.ts';
import type { MoveInput } from './database-move.ts';

const STDIN = 0;
const WAYS = 'Say one of: embedded, an address, --url-file <file>, --url-env <name>.';

/** Throws CliFailure; no message holds the address. */
export async function readTarget(input: MoveInput, output: Pick<Output, 'say'>): Promise<Place> {
  const ways = [input.to, input.url_file, input.url_env].filter((way) => way !== undefined);
  if (ways.length !== 1) throw new CliFailure('where to is said once', exitCodes.usage, WAYS);
  if (input.to === 'embedded') return { kind: 'embedded' };
  const [url, directUrl] = linesOf(input);
  const schema = settings.database_url.schema;
  if (!schema.safeParse(url).success || (directUrl !== undefined && !schema.safeParse(directUrl).success)) {
    throw new CliFailure(
      'this is no address of a database',
      exitCodes.usage,
      'postgres://user:password@host:port/database',
    );
  }
  if (input.to !== undefined && new URL(input.to).password !== '') {
    output.say(
      'the password stands on the command line, where other users of this machine see it: use --url-file next time',
    );
  }
  return { kind: 'own', url: url!, ...(directUrl === undefined ? {} : { directUrl }) };
}

// In a file the second line may be the address without the pooler between.
function linesOf({ to, url_file, url_env }: MoveInput): string[] {
  if (to !== undefined) return [to];
  const text = url_env === undefined ? read(url_file!) : process.env[url_env];
  if (text === undefined) throw new CliFailure(`the variable ${url_env} is not set`, exitCodes.usage);
  const lines = text.split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '').slice(0, 2);
}

function read(file: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8');
  } catch (error) {
    throw new CliFailure(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code}`, exitCodes.usage);
  }
}

// Asks for a secret: on a terminal without showing it, else the whole of stdin. Never from an argument or a variable, which
// others can read.
import { CliFailure } from './client.ts';
import { exitCodes } from './exit-codes.ts';

const LONGEST = 4096;
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const BACKSPACES = ['\u007f', '\b'];

/** Undefined when nothing was given. Throws CliFailure for what can be no token, and at Ctrl-C. */
export async function readSecret(prompt: string, say: (text: string) => void): Promise<string | undefined> {
  const { stdin } = process;
  const text = (stdin.isTTY ? await typed(prompt, say) : await piped()).trim();
  if (text === '') return undefined;
  // It travels in a header.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new CliFailure('that is no token: it holds blanks or other characters', exitCodes.usage, 'Give one line.');
  }
  return text;
}

async function piped(): Promise<string> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of process.stdin as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > LONGEST) throw new CliFailure('that is no token: it is too long', exitCodes.usage);
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}

function typed(prompt: string, say: (text: string) => void): Promise<string> {
  const { stdin, stderr } = process;
  stderr.write(prompt);
  stdin.setRawMode(true);
  stdin.setEncoding('utf8');
  stdin.resume();
  let text = '';
  return new Promise((resolve, reject) => {
    const end = () => {
      stdin.off('data', onData);
      stdin.setRawMode(false);
      stdin.pause();
      say('');
    };
    const onData = (keys: string) => {
      for (const key of keys) {
        if (key === CTRL_C) {
          end();
          reject(new CliFailure('interrupted', exitCodes.interrupted));
          return;
        }
        if (key === '\r' || key === '\n' || key === CTRL_D) {
          end();
          resolve(text);
          return;
        }
        text = BACKSPACES.includes(key) ? text.slice(0, -1) : (text + key).slice(0, LONGEST);
      }
    };
    stdin.on('data', onData);
  });
}

// Whether a PostgreSQL server at an address answers, asked without a credential: it is offered encryption, to which every
// server has to say yes or no. A server that hangs still lets one connect, because the kernel does that for it.
import { connect } from 'node:net';

/** Length and code of the SSLRequest message of PostgreSQL's protocol. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** False when nothing listens there, something else does, or no answer comes within `limitMs`. */
export function databaseAnswers(host: string, port: number, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => end(false), limitMs);
    const end = (answers: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answers);
    };
    socket.once('connect', () => socket.write(SSL_REQUEST));
    socket.once('data', (answer: Buffer) => end(answer[0] === 0x53 || answer[0] === 0x4e));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}

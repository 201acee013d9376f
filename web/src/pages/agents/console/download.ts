// Saves everything the server keeps of a console, as it is, in one file.
import { call } from '../../../api/client.ts';
import { routes } from '../../../api/routes.ts';

const PIECE = 262_144;

export async function downloadConsole(agent: string): Promise<void> {
  const parts: string[] = [];
  let { first_offset: after } = await call(routes.readConsole, { agent, bytes: 1 });
  for (;;) {
    const piece = await call(routes.readConsole, { agent, after, bytes: PIECE });
    parts.push(piece.text);
    if (piece.next_offset <= after) break;
    after = piece.next_offset;
  }
  const address = URL.createObjectURL(new Blob(parts, { type: 'text/plain' }));
  const link = document.createElement('a');
  link.href = address;
  link.download = `${agent}.log`;
  link.click();
  // The browser has taken the file over by the next task.
  setTimeout(() => URL.revokeObjectURL(address), 0);
}

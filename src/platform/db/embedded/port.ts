// Which port the server listens on: the one demanded, the one it had last time, else a free one.
import { randomInt } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';

// Below the range from which the kernel takes ports for outgoing connections (32768 and up on Linux): there any client
// could sit on our port while the server restarts.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Whether nobody listens on this port of the loopback address now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen({ port, host: '127.0.0.1', exclusive: true }, () => probe.close(() => resolve(true)));
  });
}

/** `promised`: free ones that somebody else is to have. */
export async function findFreePort(promised: readonly number[] = []): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!promised.includes(port) && (await isPortFree(port))) return port;
  }
}

/** The port of the last start: clients that reconnect look for the server there. */
export function readPort(file: string): number | undefined {
  try {
    const port = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined;
  } catch {
    return undefined;
  }
}

/** Writes only what changed, so that a start on a full disk needs no room for it. */
export function writePort(file: string, port: number): void {
  if (readPort(file) !== port) writeFileSync(file, `${port}\n`, { mode: 0o600 });
}

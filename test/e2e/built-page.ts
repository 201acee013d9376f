// Before the first browser test: the page that the server will serve is there and made of the sources as they are.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export default function requirePage(): void {
  // bin/ decides what fresh means; asking it keeps the two from disagreeing.
  const question = 'set -eu; root=$PWD; . bin/prepare.sh; page_is_fresh';
  const { status, stderr } = spawnSync('sh', ['-c', question], { cwd: root, encoding: 'utf8' });
  if (status === 0) return;
  throw new Error(
    `web/dist is missing or older than its sources: run \`bin/test page\` first${stderr && `\n${stderr}`}`,
  );
}

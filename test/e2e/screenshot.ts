// Makes docs/images/bridge.png, the picture in the README, from the living example fleet. Run by hand after the page has
// changed: bin/test page && node test/e2e/screenshot.ts
import { fileURLToPath } from 'node:url';
import { openStage } from './stage.ts';

const picture = fileURLToPath(new URL('../../docs/images/bridge.png', import.meta.url));
const LIVES_MS = 90_000;

const stage = await openStage({ args: ['--example', 'harbour'] });
try {
  const page = await stage.open('/', { colorScheme: 'dark', viewport: { width: 1440, height: 900 } });
  const tile = page.locator('[data-tile="Done 1 h"]');
  await page.waitForFunction(
    (element) => Number(element?.querySelector('.text-number')?.textContent) > 60,
    await tile.elementHandle(),
    { timeout: LIVES_MS },
  );
  // Something for the operator to look at: an agent outside that has gone silent, a paused one, and one that was just killed.
  const { token } = await stage.api('POST', '/v1/agents', { agent: 'lighthouse', silence_limit_seconds: 2 });
  await stage.api('POST', '/v1/agents/lighthouse/beats', { status: 'light is on' }, token);
  await stage.api('PUT', '/v1/agents/inspector/pause', { reason: 'links are being moved' });
  await page.locator('[data-cell="lighthouse"][data-state-of="silent"]').waitFor();
  await page.locator('[data-cell="inspector"][data-state-of="paused"]').waitFor();
  const { pid } = await stage.api('GET', '/v1/agents/clerk');
  process.kill(pid, 'SIGKILL');
  await page.locator('[data-cell="clerk"][data-state-of="late"]').waitFor();
  await page.screenshot({ path: picture, animations: 'disabled' });
} finally {
  await stage.close();
}

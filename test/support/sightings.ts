// When events posted from outside first stand in the page. The page itself notes it, so no round trip to the browser is
// in the figures; both sides read the same machine's clock.
import type { Page } from 'playwright-core';

/** From now on the page notes the moment at which each row with a cursor is first there. */
export async function noteSightings(page: Page): Promise<void> {
  await page.evaluate(() => {
    const seen: Record<string, number> = {};
    const look = () => {
      const now = performance.timeOrigin + performance.now();
      for (const row of document.querySelectorAll<HTMLElement>('[data-cursor]')) seen[row.dataset['cursor']!] ??= now;
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, attributes: true });
    Object.assign(globalThis, { qdSightings: seen });
  });
}

export function sightings(page: Page): Promise<Record<string, number>> {
  return page.evaluate(() => (globalThis as unknown as { qdSightings: Record<string, number> }).qdSightings);
}

export async function untilSeen(page: Page, cursor: string, limitMs = 30_000): Promise<void> {
  const isSeen = (wanted: string) =>
    (globalThis as unknown as { qdSightings: Record<string, number> }).qdSightings[wanted] !== undefined;
  await page.waitForFunction(isSeen, cursor, { timeout: limitMs });
}

/** Milliseconds since 1970 with fractions, as the page counts them. */
export function clockMs(): number {
  return performance.timeOrigin + performance.now();
}

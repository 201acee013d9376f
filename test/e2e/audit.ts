// What can be judged of a page by looking at it as it is: axe's rules, what sticks out sideways, what cannot be reached.
import axe, { type RunOnly } from 'axe-core';
import type { Page } from 'playwright-core';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'];

const themes = ['dark', 'light', 'contrast'] as const;

/** As a choice in the menu does it, and kept for the next load. */
async function wearTheme(page: Page, theme: (typeof themes)[number]): Promise<void> {
  await page.evaluate((name) => {
    localStorage.setItem('qd.theme', name);
    document.documentElement.dataset['theme'] = name;
  }, theme);
}

/** What axe has against the page in each theme, with the places. A theme changes nothing but colours. */
export async function violations(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const theme of themes) {
    await wearTheme(page, theme);
    const run = theme === themes[0] ? { type: 'tag', values: RULES } : { type: 'rule', values: ['color-contrast'] };
    found.push(...(await runAxe(page, run)).map((violation) => `${theme}: ${violation}`));
  }
  return found;
}

async function runAxe(page: Page, runOnly: { type: string; values: string[] }): Promise<string[]> {
  await rest(page);
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe.source);
  return page.evaluate(async (only) => {
    const { axe } = globalThis as unknown as { axe: typeof import('axe-core') };
    const { violations } = await axe.run(document, { runOnly: only as RunOnly, resultTypes: ['violations'] });
    return violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.any[0]?.message ?? node.failureSummary ?? ''}`),
    );
  }, runOnly);
}

/** Colours are judged at rest: what a change sets in motion shows only in the next frame, and may set more in motion. */
async function rest(page: Page): Promise<void> {
  await page.evaluate(async () => {
    for (;;) {
      for (let frames = 0; frames < 2; frames++) await new Promise((resolve) => requestAnimationFrame(resolve));
      const moving = document.getAnimations();
      if (moving.length === 0) return;
      await Promise.allSettled(moving.map((animation) => animation.finished));
    }
  });
}

/** Elements that reach beyond the window, or that must be scrolled sideways although they are not made for it. */
export function sideways(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const name = (element: Element) =>
      `${element.tagName.toLowerCase()}.${element.className} “${element.textContent?.slice(0, 40)}”`;
    const clips = (element: Element) => getComputedStyle(element).overflowX !== 'visible';
    const found: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth)
      found.push(`the document is ${document.documentElement.scrollWidth} wide`);
    for (const element of document.querySelectorAll('#root *')) {
      const style = getComputedStyle(element);
      // Chips are made to be swiped through.
      const scrolls = ['auto', 'scroll'].includes(style.overflowX) && element.tagName !== 'FIELDSET';
      if (scrolls && element.scrollWidth > element.clientWidth + 1) found.push(`scrolls sideways: ${name(element)}`);
      if (element.getBoundingClientRect().right <= innerWidth + 1) continue;
      let box = element.parentElement;
      // The body itself clips, which must not hide what sticks out.
      while (box !== null && box.id !== 'root' && !clips(box)) box = box.parentElement;
      if (box === null || box.id === 'root') found.push(`beyond the window: ${name(element)}`);
    }
    return found;
  });
}

/** Controls that cannot be brought into sight and hit. */
export function unreachable(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const controls = [...document.querySelectorAll<HTMLElement>('a[href], button, input, select, [role=tab]')];
    return (
      controls
        .filter(
          (control) => control.checkVisibility({ visibilityProperty: true }) && control.getClientRects().length > 0,
        )
        // The link that skips to the content shows only when it has the focus.
        .filter((control) => getComputedStyle(control).clipPath !== 'inset(50%)')
        .filter((control) => {
          control.scrollIntoView({ block: 'center', inline: 'center' });
          const box = control.getBoundingClientRect();
          const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
          const hit = document.elementFromPoint(x, y);
          return hit === null || !(control.contains(hit) || hit.closest('label')?.contains(control));
        })
        .map(
          (control) =>
            `${control.tagName.toLowerCase()} “${control.getAttribute('aria-label') ?? control.textContent}”`,
        )
    );
  });
}

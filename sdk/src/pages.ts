// Lists beyond one page.
import type { Page } from './wire.ts';

/** Every item, asking for the next page when the one before is used up. */
export async function* allItems<T>(page: (after: { readonly after?: string }) => Promise<Page<T>>): AsyncGenerator<T> {
  let place: { readonly after?: string } = {};
  for (;;) {
    const { items, next_cursor } = await page(place);
    yield* items;
    if (next_cursor === null || items.length === 0) return;
    place = { after: next_cursor };
  }
}

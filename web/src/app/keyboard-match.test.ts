import { describe, expect, it } from 'vitest';
import { type KeyPress, match } from './keyboard-match.ts';

const known = new Set(['g b', 'g a', 'j', '/', 'Enter', 'Space', 'Esc', 'Mod k', 'b']);
const press = (key: string, more: Partial<KeyPress> = {}): KeyPress => ({
  key,
  hasMod: false,
  hasAlt: false,
  place: 'page',
  ...more,
});

describe('a key press', () => {
  it('completes a pair before it stands for itself', () => {
    expect(match(press('b'), 'g', known, false)).toBe('g b');
    expect(match(press('b'), undefined, known, false)).toBe('b');
    expect(match(press('j'), 'g', known, false)).toBe('j');
  });

  it('is text inside a field and belongs to the dialog inside a dialog', () => {
    expect(match(press('j', { place: 'field' }), undefined, known, false)).toBeUndefined();
    expect(match(press('Escape', { place: 'dialog' }), undefined, known, false)).toBeUndefined();
  });

  it('leaves Enter and Space to the button that has the focus', () => {
    expect(match(press('Enter', { place: 'control' }), undefined, known, false)).toBeUndefined();
    expect(match(press(' ', { place: 'control' }), undefined, known, false)).toBeUndefined();
    expect(match(press('j', { place: 'control' }), undefined, known, false)).toBe('j');
  });

  it('does nothing as a single letter when those are switched off, while the palette and Esc still work', () => {
    expect(match(press('j'), undefined, known, true)).toBeUndefined();
    expect(match(press('/'), undefined, known, true)).toBeUndefined();
    expect(match(press('Escape'), undefined, known, true)).toBe('Esc');
    expect(match(press('k', { hasMod: true }), undefined, known, true)).toBe('Mod k');
    expect(match(press('K', { hasMod: true, place: 'field' }), undefined, known, true)).toBe('Mod k');
  });
});

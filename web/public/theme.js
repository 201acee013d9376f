// Sets the theme before the first paint; src/app/theme.ts changes it later. A file of its own because the content
// policy allows no script inside the page.
(() => {
  let choice = 'system';
  try {
    choice = localStorage.getItem('qd.theme') ?? 'system';
  } catch {
    // Storage may be forbidden; the system's theme is shown then.
  }
  const known = ['light', 'dark', 'contrast'].includes(choice);
  const system = matchMedia('(prefers-contrast: more)').matches
    ? 'contrast'
    : matchMedia('(prefers-color-scheme: light)').matches
      ? 'light'
      : 'dark';
  document.documentElement.dataset.theme = known ? choice : system;
})();

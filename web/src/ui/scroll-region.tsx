// A region that scrolls by itself. It has a name and takes the focus, so that it can be scrolled by keyboard (WCAG 2.1.1).
import type { ComponentProps } from 'react';
import { classes } from './classes.ts';

export function ScrollRegion({
  label,
  className,
  ...rest
}: Omit<ComponentProps<'section'>, 'aria-label'> & { label: string }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
      tabIndex={0}
      className={classes('min-h-0 flex-1 overflow-auto outline-offset-[-2px]', className)}
      {...rest}
    />
  );
}

// Buttons and links that look like buttons. On a phone every target is at least 44 px high.
import type { ComponentProps } from 'react';
import { classes } from './classes.ts';

type Tone = 'plain' | 'primary' | 'quiet' | 'danger';

const base =
  'inline-flex shrink-0 items-center justify-center gap-1.5 rounded-control border font-medium whitespace-nowrap transition-colors duration-100 disabled:cursor-not-allowed aria-disabled:cursor-not-allowed text-body';

const tones: Record<Tone, string> = {
  plain: 'border-control bg-panel text-fg hover:bg-raised disabled:text-muted disabled:border-line',
  primary:
    'border-accent bg-accent text-on-accent hover:brightness-110 disabled:border-line disabled:bg-raised disabled:text-muted',
  quiet: 'border-transparent bg-transparent text-muted hover:bg-raised hover:text-fg',
  danger: 'border-err bg-panel text-err hover:bg-raised',
};

export function buttonClasses(tone: Tone = 'plain', more?: string): string {
  return classes(base, tones[tone], 'h-7 px-2.5 phone:h-11 phone:px-4', more);
}

export function Button({
  tone = 'plain',
  className,
  type = 'button',
  ...rest
}: ComponentProps<'button'> & { tone?: Tone }) {
  return <button type={type} className={buttonClasses(tone, className)} {...rest} />;
}

/** A button that shows only a picture; `label` is its name for everybody else. */
export function IconButton({
  label,
  tone = 'quiet',
  className,
  type = 'button',
  ...rest
}: ComponentProps<'button'> & { label: string; tone?: Tone }) {
  return (
    <button
      type={type}
      aria-label={label}
      title={label}
      className={classes(base, tones[tone], 'size-7 phone:size-11', className)}
      {...rest}
    />
  );
}

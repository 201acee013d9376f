// Makes a value flash once when it changes, never when it is first shown. What is around it keeps its focus.
import { type ReactNode, useRef } from 'react';
import { classes } from './classes.ts';

export function Flash({
  value,
  className,
  title,
  children,
}: {
  value: string | number;
  className?: string;
  title?: string;
  children: ReactNode;
}) {
  const seen = useRef({ value, changes: 0 });
  if (seen.current.value !== value) seen.current = { value, changes: seen.current.changes + 1 };
  const { changes } = seen.current;
  return (
    <span key={changes} title={title} className={classes(changes > 0 && 'flash', className)}>
      {children}
    </span>
  );
}

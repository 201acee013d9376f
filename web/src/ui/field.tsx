// Fields of forms, with their label above and what is wrong below.
import { type ComponentProps, useId } from 'react';
import { classes } from './classes.ts';

const box =
  'h-8 w-full min-w-0 rounded-control border border-control bg-panel px-2 phone:h-11 disabled:border-line disabled:text-muted';

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly problem?: string | undefined;
}

export function TextField({
  label,
  hint,
  problem,
  className,
  ...rest
}: FieldProps & Omit<ComponentProps<'input'>, 'id'>) {
  const id = useId();
  return (
    <div className={classes('min-w-0', className)}>
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      <input
        id={id}
        type="text"
        autoComplete="off"
        spellCheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={hint === undefined && problem === undefined ? undefined : `${id}-more`}
        className={box}
        {...rest}
      />
      <More id={`${id}-more`} hint={hint} problem={problem} />
    </div>
  );
}

export function SelectField({
  label,
  hint,
  problem,
  className,
  children,
  ...rest
}: FieldProps & Omit<ComponentProps<'select'>, 'id'>) {
  const id = useId();
  return (
    <div className={classes('min-w-0', className)}>
      <label htmlFor={id} className="mb-1 block font-medium">
        {label}
      </label>
      <select
        id={id}
        aria-describedby={hint === undefined && problem === undefined ? undefined : `${id}-more`}
        className={box}
        {...rest}
      >
        {children}
      </select>
      <More id={`${id}-more`} hint={hint} problem={problem} />
    </div>
  );
}

function More({ id, hint, problem }: { id: string; hint: string | undefined; problem: string | undefined }) {
  if (problem !== undefined) {
    return (
      <p id={id} className="mt-1 text-err">
        {problem}
      </p>
    );
  }
  return hint === undefined ? null : (
    <p id={id} className="mt-1 text-caption text-muted">
      {hint}
    </p>
  );
}

// A filter as chips and a field. Enter turns what is typed into chips; what is no filter is said at once.
import { Filter, X } from 'lucide-react';
import { type KeyboardEvent, useId, useState } from 'react';
import { classes } from './classes.ts';
import { type Filter as FilterOf, type QualifierRules, qualifierChips, readQualifiers } from './qualifiers.ts';
import { words } from './words.ts';

interface FilterBarProps<N extends string> {
  readonly filter: FilterOf<N>;
  readonly rules: QualifierRules<N>;
  /** What each name is for, shown while the field has the focus. */
  readonly meanings: Readonly<Record<N, string>>;
  readonly label: string;
  readonly placeholder: string;
  readonly onChange: (filter: FilterOf<N>) => void;
}

export function FilterBar<N extends string>({
  filter,
  rules,
  meanings,
  label,
  placeholder,
  onChange,
}: FilterBarProps<N>) {
  const [text, setText] = useState('');
  const [problems, setProblems] = useState<readonly string[]>([]);
  const [isOpen, setOpen] = useState(false);
  const id = useId();
  const chips = qualifierChips(filter, rules.names);

  const without = (name: N): FilterOf<N> => ({ ...filter, [name]: undefined });
  const commit = (): void => {
    if (text.trim() === '') return;
    const read = readQualifiers(text, rules);
    setProblems(read.problems);
    if (read.problems.length > 0) return;
    setText('');
    // What lies below can be reached again.
    setOpen(false);
    onChange({ ...filter, ...read.filter });
  };
  const onKey = (event: KeyboardEvent<HTMLInputElement>): void => {
    if (event.key === 'Enter') commit();
    if (event.key === 'Escape') event.currentTarget.blur();
    const last = chips.at(-1);
    if (event.key === 'Backspace' && text === '' && last !== undefined) onChange(without(last.name));
  };

  return (
    <div className="relative min-w-0 flex-1 phone:w-full phone:flex-none">
      <div className="flex min-h-7 flex-wrap items-center gap-1 rounded-control border border-control bg-panel px-1.5 py-px focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-accent phone:min-h-11">
        <Filter aria-hidden="true" size={14} className="mx-0.5 shrink-0 text-muted" />
        {chips.map((chip) => (
          <button
            key={chip.name}
            type="button"
            aria-label={words.removeFilter(chip.text)}
            title={words.removeFilter(chip.text)}
            onClick={() => onChange(without(chip.name))}
            className="inline-flex h-6 max-w-full items-center gap-1 rounded border border-line bg-raised px-1.5 font-mono text-[12px] hover:border-control phone:h-9"
          >
            <span className="truncate">{chip.text}</span>
            <X aria-hidden="true" size={12} className="shrink-0" />
          </button>
        ))}
        <input
          data-filter
          aria-label={label}
          aria-describedby={id}
          aria-invalid={problems.length > 0}
          placeholder={chips.length === 0 ? placeholder : ''}
          value={text}
          spellCheck={false}
          autoCapitalize="none"
          autoComplete="off"
          onChange={(event) => {
            setText(event.target.value);
            setProblems([]);
            setOpen(true);
          }}
          onFocus={() => setOpen(true)}
          onBlur={() => {
            setOpen(false);
            commit();
          }}
          onKeyDown={onKey}
          className="h-6 min-w-32 flex-1 bg-transparent font-mono text-[12px] outline-none placeholder:font-sans placeholder:text-body placeholder:text-muted"
        />
      </div>
      <div
        id={id}
        role="status"
        className={classes('absolute inset-x-0 top-full z-20 mt-1', problems.length === 0 && !isOpen && 'hidden')}
      >
        <div className="rounded-panel border border-line bg-panel p-1.5 shadow-float">
          {problems.map((problem) => (
            <p key={problem} className="px-1.5 py-1 text-err">
              {problem}
            </p>
          ))}
          {isOpen && (
            <ul>
              {rules.names.map((name) => (
                <li key={name}>
                  <button
                    type="button"
                    tabIndex={-1}
                    // The field keeps the focus, so that typing goes on behind the word.
                    onMouseDown={(event) => {
                      event.preventDefault();
                      setText(`${text.trim()} ${name}:`.trimStart());
                    }}
                    className="flex w-full items-center gap-3 rounded-control px-1.5 py-0.5 text-left hover:bg-raised"
                  >
                    <code className="w-24 font-mono text-[12px] text-accent">{name}:</code>
                    <span className="text-muted">{meanings[name]}</span>
                  </button>
                </li>
              ))}
            </ul>
          )}
        </div>
      </div>
    </div>
  );
}

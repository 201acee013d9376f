// Fields of an input or an answer; what lies inside of one is indented below it.
import { Panel } from '../../ui/panel.tsx';
import type { Field } from './openapi.ts';
import { words } from './words.ts';

interface FieldTableProps {
  readonly title: string;
  readonly fields: readonly Field[];
  readonly isAnswer?: boolean;
}

export function FieldTable({ title, fields, isAnswer = false }: FieldTableProps) {
  if (fields.length === 0 && !isAnswer) return null;
  return (
    <Panel title={title}>
      {fields.length === 0 && <p className="px-3 py-2 text-muted">{words.noFields}</p>}
      <ul className="px-3">
        {fields.map((field) => (
          <li
            key={field.path}
            data-field={field.path}
            className="grid grid-cols-[minmax(0,14rem)_minmax(0,1fr)] gap-x-4 border-b border-line py-1.5 last:border-0 phone:grid-cols-[minmax(0,1fr)]"
          >
            <div className="min-w-0" style={{ paddingLeft: Math.min(field.depth, 4) * 14 }}>
              <code className="font-mono text-[12px] font-semibold [overflow-wrap:anywhere]">
                {field.depth === 0 ? field.path : field.path.slice(field.path.lastIndexOf('.') + 1)}
              </code>
              {field.isRequired && !isAnswer && <span className="ml-2 text-caption text-warn">{words.required}</span>}
            </div>
            <div className="min-w-0">
              <span className="font-mono text-[12px] text-accent [overflow-wrap:anywhere]">{field.type}</span>
              {field.meaning !== '' && (
                <span className="block text-muted [overflow-wrap:anywhere]">{field.meaning.replaceAll('`', '')}</span>
              )}
            </div>
          </li>
        ))}
      </ul>
    </Panel>
  );
}

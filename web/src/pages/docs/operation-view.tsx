// One operation: what it does, what it takes, what it answers, what can go wrong, and how it is asked.
import { useQuery } from '@tanstack/react-query';
import { type Ability, abilityWords } from '../../../../src/domains/access/abilities.ts';
import { meQuery } from '../../api/queries.ts';
import { CopyButton } from '../../ui/copy.tsx';
import { Panel } from '../../ui/panel.tsx';
import { BackToList } from './back-to-list.tsx';
import { FieldTable } from './field-table.tsx';
import { MethodBadge } from './method-badge.tsx';
import { type ApiOperation, fieldsOf, meaningOf, type Parameter, typeWords } from './openapi.ts';
import { Snippets } from './snippets-view.tsx';
import { TryIt } from './try-it.tsx';
import { words } from './words.ts';

export function OperationView({ operation, onBack }: { operation: ApiOperation; onBack: () => void }) {
  const inPlace = (place: Parameter['in']) =>
    operation.parameters
      .filter((parameter) => parameter.in === place)
      .map(({ name, required, schema = {} }) => ({
        path: name,
        type: typeWords(schema),
        isRequired: required,
        meaning: meaningOf(schema),
        depth: 0,
      }));
  return (
    <article
      className="flex max-w-4xl flex-col gap-3 p-5 phone:gap-2 phone:p-2"
      data-operation-view={operation.operation}
    >
      <Head operation={operation} onBack={onBack} />
      <Snippets operation={operation} />
      <FieldTable title={words.inPath} fields={inPlace('path')} />
      <FieldTable title={words.inQuery} fields={inPlace('query')} />
      <FieldTable title={words.inBody} fields={fieldsOf(operation.body)} />
      <FieldTable title={words.inHeader} fields={inPlace('header')} />
      <FieldTable title={words.answer(operation.answer.status)} fields={fieldsOf(operation.answer.schema)} isAnswer />
      <Errors operation={operation} />
      {operation.method === 'GET' && operation.kind !== 'stream' && <TryIt operation={operation} />}
    </article>
  );
}

function Head({ operation, onBack }: { operation: ApiOperation; onBack: () => void }) {
  const own = useQuery(meQuery).data?.abilities ?? [];
  const { ability } = operation;
  const known = Object.hasOwn(abilityWords, ability) ? abilityWords[ability as Ability] : words.abilityOf[ability];
  const isLacking = known !== undefined && ability.includes(':') && !own.includes(ability);
  return (
    <header className="phone:px-2">
      <BackToList onBack={onBack} />
      <p className="flex items-center gap-1 font-mono text-[12px] text-muted">
        {operation.operation}
        <CopyButton label={words.copyLink} text={`${location.origin}/docs?operation=${operation.operation}`} />
      </p>
      <h2 className="text-title font-semibold">{operation.summary}</h2>
      <p className="mt-1 flex items-center gap-2">
        <MethodBadge method={operation.method} />
        <code className="min-w-0 font-mono text-[13px] [overflow-wrap:anywhere]">{operation.path}</code>
        <CopyButton label={words.copyPath} text={`${location.origin}${operation.path}`} />
      </p>
      <p className="text-muted">
        {words.ability}: <code className="font-mono text-[12px] text-fg">{ability}</code>
        {known !== undefined && ` (${known})`}
        {isLacking && <span className="text-warn"> – you lack it</span>} ·{' '}
        {[words.effects[operation.effect], words.kinds[operation.kind]].filter(Boolean).join(' · ')}
        {operation.mcp !== null && ` · ${words.mcp(operation.mcp)}`}
      </p>
    </header>
  );
}

function Errors({ operation: { errors } }: { operation: ApiOperation }) {
  return (
    <Panel title={words.errors}>
      {errors.length === 0 && <p className="px-3 pt-2">{words.noErrors}</p>}
      <ul className="px-3">
        {errors.map((error) => (
          <li key={error.code} className="border-b border-line py-1.5 last:border-0">
            <p className="flex flex-wrap items-baseline gap-x-3">
              <code className="font-mono text-[12px] font-semibold [overflow-wrap:anywhere]">{error.code}</code>
              <span className="figures text-caption text-muted">{error.status}</span>
              <span>{error.message}</span>
            </p>
            <p className="text-muted">{error.hint.replaceAll('`', '')}</p>
          </li>
        ))}
      </ul>
      <p className="px-3 pt-1 pb-2 text-caption text-muted">{words.errorsAny}</p>
    </Panel>
  );
}

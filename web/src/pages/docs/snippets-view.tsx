// The example of an operation in four languages, to be copied.
import { useState } from 'react';
import { CopyButton } from '../../ui/copy.tsx';
import { Panel } from '../../ui/panel.tsx';
import type { ApiOperation } from './openapi.ts';
import { type Language, languages, snippetOf } from './snippets.ts';
import { words } from './words.ts';

// Kept while the page is open: whoever reads Python reads it at every operation.
let lastLanguage: Language = 'curl';

export function Snippets({ operation }: { operation: ApiOperation }) {
  const [language, setLanguage] = useState(lastLanguage);
  const snippet = snippetOf(operation, language, location.origin);
  const choose = (next: Language): void => {
    lastLanguage = next;
    setLanguage(next);
  };
  return (
    <Panel title={words.example} aside={snippet !== undefined && <CopyButton text={snippet} />}>
      <fieldset className="flex flex-wrap gap-1 px-2 pt-2">
        <legend className="sr-only">{words.example}</legend>
        {languages.map((name) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === language}
            onClick={() => choose(name)}
            className="h-7 rounded-control border border-transparent px-2 text-muted hover:bg-raised aria-pressed:border-accent aria-pressed:bg-raised aria-pressed:text-fg phone:h-11 phone:px-3"
          >
            {words.languages[name]}
          </button>
        ))}
      </fieldset>
      {snippet === undefined ? (
        <p className="px-3 py-2.5 text-muted">{language === 'cli' ? words.notThere.cli : words.notThere.sdk}</p>
      ) : (
        <pre
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
          tabIndex={0}
          data-snippet={language}
          className="overflow-x-auto px-3 py-2.5 font-mono text-[12px] leading-[18px] whitespace-pre-wrap [overflow-wrap:anywhere]"
        >
          {snippet}
        </pre>
      )}
    </Panel>
  );
}

// docs/reference/errors.md
import { errorSpecs } from '../../app.ts';
import { code, GENERATED, markdownTable } from './markdown.ts';

export function errorsPage(): string {
  const rows = Object.entries(errorSpecs).map(([name, spec]) => [
    code(name),
    String(spec.status),
    spec.message,
    spec.hint,
    spec.retryable === true ? 'yes' : 'no',
  ]);
  return `${GENERATED}
# Errors

Every refusal is \`application/problem+json\` with a stable \`code\`. Codes without a room in front may come from any
operation. \`retryable\` says whether the same request may succeed later unchanged.

${markdownTable(['code', 'status', 'what it says', 'what to do', 'retryable'], rows)}
`;
}

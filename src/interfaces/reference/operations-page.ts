// docs/reference/operations.md
import { z } from 'zod';
import { allOperations } from '../../operations.ts';
import { type AnyOperation, domainOf } from '../../platform/operation.ts';
import { code, GENERATED, markdownTable } from './markdown.ts';

export function operationsPage(): string {
  const rooms = [...new Set(allOperations.map(domainOf))];
  const sections = rooms.map((room) => {
    const operations = allOperations.filter((operation) => domainOf(operation) === room);
    return `## ${room}\n\n${operations.map(section).join('\n')}`;
  });
  return `${GENERATED}
# Operations

Whatever can be done is one operation, with the same input by HTTP and by command line. Path parameters stand in the
address; \`GET\` and \`DELETE\` take the rest as query, the others as JSON body. Unknown fields are refused.

${sections.join('\n')}`;
}

function section(operation: AnyOperation): string {
  const schema = z.toJSONSchema(operation.input, { io: 'input', unrepresentable: 'any' });
  const required = new Set(schema.required ?? []);
  const rows = Object.entries((schema.properties ?? {}) as Record<string, Record<string, unknown>>).map(
    ([name, field]) => [
      code(name),
      typeOf(field),
      required.has(name)
        ? 'yes'
        : field['default'] === undefined
          ? 'no'
          : `no, ${code(JSON.stringify(field['default']))}`,
      String(field['description'] ?? ''),
    ],
  );
  const inputs = rows.length === 0 ? '' : `\n${markdownTable(['field', 'type', 'required', 'meaning'], rows)}\n`;
  const command = 'none' in operation.cli ? `none: ${operation.cli.none}` : code(operation.cli.example);
  const errors = operation.errors.length === 0 ? '' : ` · errors ${operation.errors.map(code).join(', ')}`;
  return `### ${operation.name}

${operation.summary}.

${code(`${operation.method} ${operation.path}`)} · ability ${code(operation.ability)} · ${operation.kind} · body ≤ ${operation.bodyLimit} bytes${errors}

CLI: ${command}
${inputs}`;
}

function typeOf(field: Record<string, unknown>): string {
  if (Array.isArray(field['enum'])) return field['enum'].map((value) => code(String(value))).join(' ');
  if (field['type'] === 'array') return `list of ${typeOf((field['items'] ?? {}) as Record<string, unknown>)}`;
  return String(field['type'] ?? 'any JSON');
}

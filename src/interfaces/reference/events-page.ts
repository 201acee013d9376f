// docs/reference/events.md
import { z } from 'zod';
import { eventSpecs } from '../../app.ts';
import { code, GENERATED, markdownTable } from './markdown.ts';

export function eventsPage(): string {
  const rows = Object.entries(eventSpecs).map(([type, spec]) => [code(type), spec.summary, fieldsOf(spec.payload)]);
  return `${GENERATED}
# Events

What the rooms write into the log, in the transaction of the change itself. Agents append events of their own types
besides; these types are the server's alone.

${markdownTable(['type', 'when', 'payload'], rows)}
`;
}

function fieldsOf(payload: z.ZodObject): string {
  const { required = [] } = z.toJSONSchema(payload, { unrepresentable: 'any' });
  return Object.keys(payload.shape)
    .map((field) => code(required.includes(field) ? field : `${field}?`))
    .join(', ');
}

// docs/reference/settings.md
import { z } from 'zod';
import { exampleManifest, exampleOf } from '../../config/example.ts';
import { sections } from '../../config/manifest.ts';
import { settingKeys, settings } from '../../config/settings.ts';
import { declaredAgent } from '../../domains/fleet/manifest.ts';
import { declaredChannel, declaredSchedule } from '../../domains/work/manifest.ts';
import { code, GENERATED, markdownTable } from './markdown.ts';

export function settingsPage(): string {
  return `${GENERATED}
# Settings

A flag of \`quarterdeck up\` outranks the environment, that outranks \`quarterdeck.yaml\` (in the directory where the start is
typed, else \`--config FILE\` or \`QUARTERDECK_CONFIG\`), and that the default. What is wrong stops the start with its place,
the value seen and what was expected. Secrets come from the environment only.

${markdownTable(['key', 'what it is', 'default', 'example', 'flag', 'environment', 'in quarterdeck.yaml'], settingRows())}

## \`agents\`

${sections.agents.description}.

${markdownTable(['key', 'what it is', 'default'], rowsOf(declaredAgent))}

## \`channels\`

${sections.channels.description}.

${markdownTable(['key', 'what it is', 'default'], rowsOf(declaredChannel))}

## \`schedules\`

${sections.schedules.description}. One of \`cron\`, \`every_seconds\` and \`at\`.

${markdownTable(['key', 'what it is', 'default'], rowsOf(declaredSchedule))}

## Example

\`\`\`yaml
${exampleManifest()}\`\`\`
`;
}

function settingRows(): string[][] {
  return settingKeys.map((key) => {
    const { schema, environment, flag, manifest, secret, fallback, fallbackWords } = settings[key];
    return [
      code(key),
      `${schema.description}${secret ? ' (secret)' : ''}`,
      fallbackWords ?? code(String(fallback?.())),
      code(exampleOf(schema)),
      flag ? code(`--${key.replaceAll('_', '-')}`) : '-',
      code(environment),
      manifest ? 'yes' : 'no',
    ];
  });
}

function rowsOf(declared: z.ZodType): string[][] {
  const { properties = {}, required = [] } = z.toJSONSchema(declared, { io: 'input' });
  return Object.entries(properties).map(([key, property]) => {
    const { description = '', default: fallback } = property as { description?: string; default?: unknown };
    const held = required.includes(key) ? 'required' : fallback === undefined ? '-' : code(JSON.stringify(fallback));
    return [code(key), description, held];
  });
}

// The commented quarterdeck.yaml: every key that a manifest may hold, with its meaning and an example. All of it is
// commented out, so that it changes nothing until a line is taken in.
import type { z } from 'zod';
import { settingKeys, settings } from './settings.ts';

const AGENTS = `# The agents that this machine starts and watches, by name.
# agents:
#   pricer:
#     command: [python3, agents/pricer.py]
#     queues: [prices]
#     silence_limit: 60s
#     restart: always
#     secrets: [EBAY_TOKEN]
`;

const WORK = `# What jobs may use together, however many workers there are.
# channels:
#   ebay: { concurrency: 4, limits: [{ limit: 5000, window_seconds: 86400 }, { limit: 10, window_seconds: 1 }] }

# What adds jobs by itself.
# schedules:
#   nightly-prices: { cron: "0 3 * * *", zone: Europe/Berlin, job: { kind: reprice, channel: ebay }, catch_up: once }
`;

export function exampleManifest(): string {
  const lines = settingKeys
    .filter((key) => settings[key].manifest)
    .map((key) => `# ${settings[key].schema.description}.\n# ${key}: ${exampleOf(settings[key].schema)}\n`);
  return [...lines, AGENTS, WORK].join('\n');
}

/** The example of a schema, as YAML. */
export function exampleOf(schema: z.ZodType): string {
  const examples = schema.meta()?.['examples'];
  return Array.isArray(examples) ? String(examples[0]) : '';
}

// The examples of an installation. One that was added lies as a copy in <data>/examples/<name>, where its agents work. What
// lies there belongs to the fleet; what is gone from there is taken out of it.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { missingPrograms } from '../../config/missing-programs.ts';
import { type Config, withExample } from '../../config.ts';

/** The file that makes a directory an example. */
export const MANIFEST = 'quarterdeck.yaml';

/** The examples that lie in a directory, each in one of its own. */
export function exampleNames(directory: string): string[] {
  if (!existsSync(directory)) return [];
  return readdirSync(directory).filter((name) => existsSync(join(directory, name, MANIFEST)));
}

export function placedExamples(dataDir: string): string[] {
  return exampleNames(join(dataDir, 'examples'));
}

/** Where one lies, or would. */
export function exampleDir(dataDir: string, name: string): string {
  return join(dataDir, 'examples', name);
}

/**
 * The configuration with the examples that are there, but for agents whose program this machine does not have: `tell`
 * hears of them. Throws ConfigRefused.
 */
export function withPlacedExamples(config: Config, tell: (message: string) => void): Config {
  const bare: Config = { ...config, examples: {} };
  return placedExamples(config.dataDir).reduce((sum, name) => {
    const file = join(exampleDir(config.dataDir, name), MANIFEST);
    const { examples, ...rest } = withExample(sum, name, file, file);
    const agents = examples[name]!;
    const missing = missingPrograms(agents, process.env['PATH'] ?? '');
    for (const { agent, program } of missing) {
      tell(`example ${name}: ${agent} is left out, because ${program} is not on this machine; the others run`);
    }
    const leftOut = new Set(missing.map(({ agent }) => agent));
    const running = Object.fromEntries(Object.entries(agents).filter(([agent]) => !leftOut.has(agent)));
    return { ...rest, examples: { ...examples, [name]: running } };
  }, bare);
}

// Makes the fleet what the files of this installation say: the operator's manifest, and each example that is there.
import type { App } from '../../app.ts';
import type { DeclaredAgents } from '../../config/manifest.ts';
import type { Config } from '../../config.ts';
import { hostIdOf, MANIFEST, type PlanStep } from '../../domains/fleet/index.ts';
import { isAppError } from '../../platform/errors.ts';
import { FLEET_SLUG } from '../../platform/tenants.ts';

/** Answers what was changed. Only what was declared from this data directory is taken out again. */
export async function declareFleet(app: App, config: Config): Promise<PlanStep[]> {
  const call = app.systemCall();
  const steps: PlanStep[] = [];
  const apply = async (agents: DeclaredAgents, declarer?: string) => {
    const options = { baseDir: config.dataDir, ...(declarer === undefined ? {} : { declarer }) };
    steps.push(...(await app.fleet.applyAgents(call, agents, options)));
  };
  // Without a manifest nothing is decided: a start from another directory must not empty the fleet.
  if (config.manifests.length > 0) {
    await apply(config.agents);
    await app.work.apply(call, config.work, MANIFEST);
  }
  const home = `@${hostIdOf(config.dataDir)}`;
  const there = new Set<string>();
  for (const [name, agents] of Object.entries(config.examples)) {
    await makeTenants(app, agents);
    there.add(`example:${name}${home}`);
    await apply(agents, `example:${name}${home}`);
  }
  // Whichever way an example went, its agents go too.
  for (const declarer of await app.fleet.declarers(call)) {
    if (declarer.startsWith('example:') && declarer.endsWith(home) && !there.has(declarer)) await apply({}, declarer);
  }
  return steps;
}

// An example brings its tenant along; a manifest names tenants that exist.
async function makeTenants(app: App, agents: DeclaredAgents): Promise<void> {
  const tenants = new Set(Object.values(agents).map(({ tenant }) => tenant));
  tenants.delete(FLEET_SLUG);
  for (const tenant of tenants) {
    try {
      await app.access.tenants.create(app.systemCall(), { tenant });
    } catch (error) {
      if (!isAppError(error) || error.code !== 'access.tenant_exists') throw error;
    }
  }
}

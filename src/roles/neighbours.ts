// What the other roles on this machine tell of themselves, asked at their health ports, which only this machine reaches.
import { type Family, family, labelled, mergeFamilies } from '../platform/metrics/metrics.ts';
import { askMetrics } from './health.ts';
import { findRole, type RoleName, readRunFile, roleNames } from './role-file.ts';

const LIMIT_MS = 1_000;

/** The families of the others, each sample with its role; those that do not answer are told of as down. */
export async function neighbourMetrics(dataDir: string, own: RoleName): Promise<Family[]> {
  const asked = roleNames
    .filter((role) => role === own || readRunFile(dataDir, role) !== undefined)
    .map(async (role) => {
      if (role === own) return { role, families: [] };
      const facts = findRole(dataDir, role);
      return { role, families: facts === undefined ? undefined : await askMetrics(facts.health_port, LIMIT_MS) };
    });
  const answers = await Promise.all(asked);
  const up = answers.map(({ role, families }) => ({ labels: { role }, value: families === undefined ? 0 : 1 }));
  return mergeFamilies([
    [family('quarterdeck_role_up', 'Whether the role on this machine answers', 'gauge', up)],
    ...answers.map(({ role, families = [] }) => labelled(families, { role })),
  ]);
}

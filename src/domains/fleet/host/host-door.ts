// What an agent on a host asks of the host: the port between the two.
import type { Report } from './record.ts';
import type { Wanted } from './store.ts';

export interface AgentName {
  readonly agentId: string;
  readonly tenantId: string;
  readonly slug: string;
}

/** What an agent on this host needs of the host. */
export interface HostDoor {
  readonly hostId: string;
  readonly hostName: string;
  readonly apiUrl: string;
  readonly relayUrl: string | undefined;
  /** The host's own environment. */
  readonly own: Readonly<Record<string, string | undefined>>;
  /**
   * Takes the claim and a new token for a start; undefined when another host has the agent. `report` is the number of the
   * last report that any host made.
   */
  beginStart(wanted: Wanted): Promise<{ token: string; report: number } | undefined>;
  /** Whether this host has, or now gets, the claim on the agent. */
  claim(agentId: string): Promise<boolean>;
  /** Tells the database and the log; throws while the database is away. */
  report(agent: AgentName, report: Report): Promise<void>;
  failed(agent: AgentName, error: unknown): void;
}

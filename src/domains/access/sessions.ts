// The verbs of signing in: one-time links, and the browser sessions that they are exchanged for.
import type { Call } from '../../platform/call.ts';
import { findUuid, getUuid, newUuid, wireId } from '../../platform/ids.ts';
import type { OutputOf, ParsedInput } from '../../platform/operation.ts';
import type { Log } from '../log/index.ts';
import { abilities } from './abilities.ts';
import type { Credentials } from './credentials.ts';
import { accessErrors } from './errors.ts';
import { accessEvents } from './events.ts';
import type { listSessions } from './operations.ts';
import { hashSecret, kindOfSecret, newSecret } from './secrets.ts';
import * as store from './session-store.ts';

export interface SessionsOptions {
  readonly log: Log;
  readonly credentials: Credentials;
  /** Address under which operators reach the page. */
  readonly publicUrl: () => string;
}

const LINK_MINUTES = 10;
const SESSION_DAYS = 14;

export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  async createSignInLink(call: Call): Promise<{ url: string; expires_at: string }> {
    const { caller } = call;
    if (caller.kind !== 'operator') throw accessErrors.operators_only();
    // Whoever signs in has every ability in every tenant: nobody may reach that from less.
    if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
    const beyond = abilities.find((ability) => !caller.abilities.has(ability));
    if (beyond !== undefined) throw accessErrors.sign_in_beyond_creator({ ability: beyond });
    return this.makeLink(call, { id: caller.id, name: caller.name.slice('operator:'.length) });
  }

  /** As `createSignInLink`, for the start of the program itself. */
  async makeLink(call: Call, operator: { id: string; name: string }): Promise<{ url: string; expires_at: string }> {
    const secret = newSecret('link');
    return call.write(async (tx) => {
      const expires = await store.insertLink(tx, secret.hash, operator.id, LINK_MINUTES);
      await this.#options.log.append(tx, call, [
        accessEvents.make(
          'sign_in_link.created',
          { operator: operator.name },
          { subject: `operator:${operator.name}` },
        ),
      ]);
      // The key stands behind #: link previews and logs see only what is before it.
      return { url: `${this.#options.publicUrl()}/#k=${secret.text}`, expires_at: expires.toISOString() };
    });
  }

  async signIn(call: Call, key: string): Promise<{ name: string; expires_at: string }> {
    const { browser } = call;
    if (browser === undefined) throw accessErrors.sign_in_key_invalid();
    const secret = newSecret('session');
    const id = newUuid();
    if (kindOfSecret(key) !== 'link') throw accessErrors.sign_in_key_invalid();
    const { name, expires } = await call.write(async (tx) => {
      const operator = await store.takeLink(tx, hashSecret(key));
      if (operator === undefined) throw accessErrors.sign_in_key_invalid();
      const expires = await store.insertSession(tx, {
        id,
        hash: secret.hash,
        operatorId: operator.id,
        days: SESSION_DAYS,
        ...browser.facts,
      });
      // Until now nobody was known; with the link used up it is this operator who signed in.
      const known: Call = { ...call, caller: { ...call.caller, name: `operator:${operator.name}` } };
      await this.#options.log.append(tx, known, [
        accessEvents.make(
          'operator.signed_in',
          { operator: operator.name, session: wireId('ses', id) },
          { subject: `operator:${operator.name}` },
        ),
      ]);
      return { name: operator.name, expires };
    });
    browser.setSession(secret.text, expires);
    return { name, expires_at: expires.toISOString() };
  }

  async list(call: Call, input: ParsedInput<typeof listSessions>): Promise<OutputOf<typeof listSessions>> {
    if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
    const before = input.after === undefined ? undefined : getUuid('ses', input.after, 'after');
    const as_of = await this.#options.log.asOf(call);
    const rows = await call.read((tx) => store.listSessions(tx, before, input.limit));
    const { credential } = call.caller;
    return {
      items: rows.map((row) => ({
        session_id: wireId('ses', row.id),
        operator: row.operator,
        is_current: credential?.kind === 'session' && credential.id === row.id,
        user_agent: row.user_agent,
        address: row.address,
        created_at: row.created_at.toISOString(),
        expires_at: row.expires_at.toISOString(),
      })),
      next_cursor: rows.length === input.limit ? wireId('ses', rows.at(-1)!.id) : null,
      as_of,
    };
  }

  async revoke(call: Call, sessionId: string): Promise<{ session_id: string; operator: string }> {
    if (call.scope.kind !== 'fleet') throw accessErrors.fleet_only();
    const id = findUuid('ses', sessionId);
    if (id === undefined) throw accessErrors.session_not_found({ session_id: sessionId });
    return call.write(async (tx) => {
      const operator = await store.takeSession(tx, id);
      if (operator === undefined) throw accessErrors.session_not_found({ session_id: sessionId });
      await this.#options.log.append(tx, call, [
        accessEvents.make('operator.signed_out', { operator, session: sessionId }, { subject: `operator:${operator}` }),
      ]);
      tx.afterCommit(() => this.#options.credentials.forget(id));
      return { session_id: sessionId, operator };
    });
  }

  async signOut(call: Call): Promise<{ signed_out: boolean }> {
    const { caller, browser } = call;
    if (caller.credential?.kind !== 'session') return { signed_out: false };
    const { id } = caller.credential;
    const operator = caller.name.slice('operator:'.length);
    await call.write(async (tx) => {
      if (!(await store.deleteSession(tx, id))) return;
      await this.#options.log.append(tx, call, [
        accessEvents.make(
          'operator.signed_out',
          { operator, session: wireId('ses', id) },
          { subject: `operator:${operator}` },
        ),
      ]);
      tx.afterCommit(() => this.#options.credentials.forget(id));
    });
    browser?.clearSession();
    return { signed_out: true };
  }
}

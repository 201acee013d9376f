import { describe, expect, it, onTestFinished } from 'vitest';
import { type Answer, openScriptedServer, problem, type ScriptedServer } from '../../test/sdk/scripted-server.ts';
import { followLive, type LiveMessage } from './live.ts';

/** Long enough for a busy machine; only where a silence is the matter it is short. */
const SILENCE_MS = 20_000;
const SHORT_SILENCE_MS = 200;

async function serverSaying(...answers: Answer[]): Promise<ScriptedServer> {
  const server = await openScriptedServer(answers);
  onTestFinished(() => server.close());
  return server;
}

function stream(text: string, staysOpen = false): Answer {
  return { headers: { 'content-type': 'text/event-stream; charset=utf-8' }, body: text, staysOpen };
}

function event(n: number): string {
  return `id: e-${n}\nevent: event\ndata: ${JSON.stringify({ cursor: `e-${n}`, payload: { n }, added_later: true })}\n\n`;
}

async function take({ url }: ScriptedServer, count: number, silenceMs = SILENCE_MS): Promise<unknown[]> {
  const taken: unknown[] = [];
  const show = (message: LiveMessage) => (message.type === 'event' ? message.event.payload['n'] : message.type);
  for await (const message of followLive({ url, token: 'x' }, { topics: ['a', 'b'], after: 'e-0' }, silenceMs)) {
    taken.push(show(message));
    if (taken.length === count) break;
  }
  return taken;
}

describe('the live feed', () => {
  it('goes on behind the last event after a break, also one in the middle of an event', async () => {
    const server = await serverSaying(
      stream(`event: state\nid: e-0\ndata: {"state":"resumed","cursor":"e-0"}\n\n${event(1)}${event(2).slice(0, -9)}`),
      problem(503, 'unavailable', true),
      'hang_up',
      stream(`${event(2)}event: of_the_future\nid: e-2\ndata: {}\n\n${event(3)}`),
    );
    expect(await take(server, 3)).toEqual([1, 2, 3]);
    expect(server.asked.map(({ path }) => path)).toEqual(
      ['e-0', 'e-1', 'e-1', 'e-1'].map((after) => `/v1/live?topics=a%2Cb&after=${after}`),
    );
  });

  it('leaves a connection on which nothing comes any more', async () => {
    const server = await serverSaying(stream(event(1), true), stream(event(2)));
    expect(await take(server, 2, SHORT_SILENCE_MS)).toEqual([1, 2]);
    expect(server.asked).toHaveLength(2);
  });

  it('says reset and goes on from there', async () => {
    const server = await serverSaying(
      stream('event: state\nid: f-9\ndata: {"state":"reset","cursor":"f-9"}\n\n'),
      stream(event(10)),
    );
    expect(await take(server, 2)).toEqual(['reset', 10]);
    expect(server.asked[1]!.path).toContain('after=f-9');
  });

  it('ends with an error when the server refuses, or something else answers', async () => {
    const refusing = await serverSaying(stream(event(1)), problem(401, 'token_expired'));
    await expect(take(refusing, 2)).rejects.toMatchObject({ code: 'token_expired' });
    const hotel = await serverSaying({ body: '<html>Welcome</html>' });
    await expect(take(hotel, 1)).rejects.toMatchObject({ code: 'sdk.bad_answer' });
  });
});

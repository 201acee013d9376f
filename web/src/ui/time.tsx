// Times as the page shows them: relative or of the day, with the exact time and zone on hover.
import { useNow } from './clock.ts';
import { agoWords, clockWords, durationWords, exactWords } from './time-words.ts';

export function Ago({ at }: { at: string }) {
  const now = useNow();
  const date = new Date(at);
  return (
    <time dateTime={at} title={exactWords(date)}>
      {agoWords(date.getTime(), now)}
    </time>
  );
}

/** How long something has lasted. */
export function Elapsed({ since }: { since: string }) {
  const now = useNow();
  const date = new Date(since);
  return (
    <time dateTime={since} title={exactWords(date)}>
      {durationWords((now - date.getTime()) / 1000)}
    </time>
  );
}

export function TimeOfDay({ at }: { at: string }) {
  const date = new Date(at);
  return (
    <time dateTime={at} title={exactWords(date)}>
      {clockWords(date)}
    </time>
  );
}

// Times and durations in words: short, stable in width, never without a unit.

/** `0.4 s`, `12 s`, `3 m`, `2 h 05 m`, `4 d 2 h`. */
export function durationWords(seconds: number): string {
  const s = Math.max(0, seconds);
  if (s < 1) return `${(Math.floor(s * 10) / 10).toFixed(1)} s`;
  if (s < 100) return `${Math.floor(s)} s`;
  const minutes = Math.floor(s / 60);
  if (minutes < 60) return `${minutes} m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** `now`, `12 s ago`; a time ahead of the clock is `in 3 m`. */
export function agoWords(at: number, now: number): string {
  const seconds = (now - at) / 1000;
  if (Math.abs(seconds) < 1) return 'now';
  return seconds > 0 ? `${durationWords(seconds)} ago` : `in ${durationWords(-seconds)}`;
}

/** Time of day with milliseconds, in the reader's zone: `14:02:09.120`. */
export function clockWords(at: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const ms = String(at.getMilliseconds()).padStart(3, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${ms}`;
}

/** `14:02`. */
export function minuteWords(at: Date): string {
  return clockWords(at).slice(0, 5);
}

/** Exact, with the date and the time zone: for hovering and for copying. */
export function exactWords(at: Date): string {
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = -at.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${clockWords(at)} ${zone}`;
}

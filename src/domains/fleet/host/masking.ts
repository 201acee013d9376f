// Cuts secrets out of what agents print before it leaves the host. Each is replaced by as many asterisks, so that byte
// offsets stay those of the file.

// Every secret of ours has this form (access/secrets.ts), in bytes.
const OURS = /qd_(?:operator|agent|job|session|link)_[0-9A-Za-z]{30,52}_[0-9a-z]{7}/g;
const OURS_BEGUN = /q(?:d(?:_(?:[a-z]{0,8}(?:_(?:[0-9A-Za-z]{0,52}(?:_[0-9a-z]{0,6})?)?)?)?)?)?$/;
/** Shorter ones would be found in ordinary words. */
const SHORTEST = 8;

/** The same bytes with every one of `secrets` and every secret of our own form masked. */
export function mask(bytes: Buffer, secrets: readonly string[]): Buffer {
  // Latin-1 keeps one character a byte, so lengths and positions are those of the bytes.
  const before = bytes.toString('latin1');
  let text = before;
  for (const secret of secrets) {
    if (secret.length < SHORTEST) continue;
    const needle = Buffer.from(secret).toString('latin1');
    if (text.includes(needle)) text = text.replaceAll(needle, '*'.repeat(needle.length));
  }
  text = text.replace(OURS, (found) => '*'.repeat(found.length));
  return text === before ? bytes : Buffer.from(text, 'latin1');
}

/**
 * How many bytes at the end of masked output may be the beginning of a secret: they wait until more is there to tell.
 * Asked after masking, else the end of a whole secret could pass for the beginning of another.
 */
export function heldBack(bytes: Buffer, secrets: readonly string[]): number {
  const tail = bytes.subarray(-8192).toString('latin1');
  let held = OURS_BEGUN.exec(tail)?.[0].length ?? 0;
  for (const secret of secrets) {
    if (secret.length < SHORTEST) continue;
    const needle = Buffer.from(secret).toString('latin1');
    for (let length = Math.min(needle.length - 1, tail.length); length > held; length--) {
      if (tail.endsWith(needle.slice(0, length))) held = length;
    }
  }
  return held;
}

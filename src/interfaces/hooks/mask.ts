// What hooks pass on is cut short and freed of secrets.

// The form of our own tokens (src/platform/logger.ts), and of what is most often pasted by mistake.
const SECRETS = [
  /qd_[a-z]+_[0-9A-Za-z]{20,}(?:_[0-9a-z]{7})?/g,
  /\b(?:sk|pk|rk)-[A-Za-z0-9_-]{16,}/g,
  /\b(?:gh[pousr]|glpat|xox[abprs])[_-][A-Za-z0-9-]{16,}/g,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g,
];

export function masked(text: string, most: number): string {
  const shown = SECRETS.reduce((rest, secret) => rest.replace(secret, '[redacted]'), text);
  return withoutCredentials(shown).slice(0, most);
}

/** Addresses without who asks and what follows the path: both carry tokens. */
export function withoutCredentials(text: string): string {
  return text
    .replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1')
    .replace(/([a-z][a-z0-9+.-]*:\/\/[^\s?#]*)[?#]\S*/gi, '$1');
}

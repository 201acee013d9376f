// The address under which an agent with a database role of its own connects: the server and database that this program
// uses, the role and its password.

/** Of our own address what says where the server is and whether the way to it is encrypted; nothing of our user. */
const KEPT = ['host', 'port', 'sslmode'];

export function connectionString(ourUrl: string, role: string, password: string): string {
  const url = new URL(ourUrl);
  url.username = role;
  url.password = password;
  for (const name of [...url.searchParams.keys()]) if (!KEPT.includes(name)) url.searchParams.delete(name);
  return url.href;
}

// The server's settings for a small machine that also runs the fleet. Kept in a file of ours that is rewritten at each
// start; what the operator sets with ALTER SYSTEM wins over it.
import { appendFileSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SETTINGS: Record<string, string> = {
  // Connections cost 2-4 MB each; all roles together keep to about 25.
  max_connections: '60',
  // Ours: agents with database roles of their own share the rest, and cannot keep the roles of the program out.
  reserved_connections: '30',
  shared_buffers: '64MB',
  huge_pages: 'off',
  jit: 'off',
  // Saves the three processes of io_method = worker; io_uring is not built in.
  io_method: 'sync',
  // Parallel queries need shared memory beyond the start, which mmap would put on the disk.
  max_parallel_workers_per_gather: '0',
  idle_in_transaction_session_timeout: '60s',
  // An acknowledged event survives a power cut.
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // lz4 and zstd are not built in.
  wal_compression: 'pglz',
  password_encryption: 'scram-sha-256',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_destination: 'stderr',
  logging_collector: 'off',
  log_line_prefix: '%m [%p] %d ',
  // Statements and details ("Key (email)=(…) already exists") carry the tenants' data; the client gets them anyway.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

const FILE = 'quarterdeck.conf';

export function renderSettings(settings: Record<string, string> = SETTINGS): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${value.replaceAll("'", "''")}'`);
  return `# Rewritten at each start. For settings of your own use ALTER SYSTEM.\n${lines.join('\n')}\n`;
}

/** Makes a new cluster read our file. */
export function includeSettings(cluster: string): void {
  appendFileSync(join(cluster, 'postgresql.conf'), `\ninclude_if_exists = '${FILE}'\n`);
}

/** Writes our file when it differs: on a full disk a start must not need room for it. */
export function writeSettings(cluster: string): void {
  const file = join(cluster, FILE);
  const text = renderSettings();
  if (readIfPresent(file) === text) return;
  // Readable by the server whatever account it has: the cluster itself is 0700.
  writeFileSync(`${file}.new`, text, { mode: 0o644 });
  renameSync(`${file}.new`, file);
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

/** Where the server listens and what must never be otherwise: on the command line, which wins over every file. */
export function listenArguments(port: number, sockets: string | undefined): string[] {
  return Object.entries({
    port: String(port),
    listen_addresses: '127.0.0.1',
    unix_socket_directories: sockets ? `"${sockets.replaceAll('"', '""')}"` : '',
    unix_socket_permissions: '0700',
    // posix needs /dev/shm, which small containers lack or mount read-only; mmap starts everywhere.
    dynamic_shared_memory_type: 'mmap',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

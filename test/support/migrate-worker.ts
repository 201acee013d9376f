// Runs the migrations of a file (JSON) on a database, in a process that tests can kill.
import { readFileSync } from 'node:fs';
import { type Migration, migrate } from '../../src/platform/db/migrate.ts';

const [url, file] = process.argv.slice(2);
if (!url || !file) throw new Error('name a database and a file of migrations');
await migrate(url, JSON.parse(readFileSync(file, 'utf8')) as Migration[]);

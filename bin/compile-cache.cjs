// Loaded before src/main.ts by `node --require`. Switched on any later, the compile cache misses the entry itself, and
// Node loads its TypeScript stripper for that one file, which takes longer than Node's own start. The cache lies beside
// the packages, not in the machine's temporary directory, where anybody could put code into it.
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');

enableCompileCache(join(__dirname, '../node_modules/.cache/quarterdeck'));

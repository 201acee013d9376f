// Builds the control center. Nothing is inlined, because the server's content policy allows only files of its own;
// bin/ builds into a directory of its own (QD_WEB_OUT) and renames it, so that a running server never serves half a build.
import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

const api = process.env['QD_WEB_API'];

export default defineConfig({
  plugins: [react(), tailwindcss()],
  build: {
    outDir: process.env['QD_WEB_OUT'] ?? 'dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    target: 'es2023',
  },
  server: {
    host: '127.0.0.1',
    ...(api === undefined ? {} : { proxy: { '/v1': { target: api, ws: true } } }),
  },
});

import react from '@vitejs/plugin-react';
import { loadEnv } from 'vite';
import { defineConfig } from 'vitest/config';

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, '.', 'PARLOR_').PARLOR_URL ?? 'http://127.0.0.1:8000';
  return {
    base: '/app/',
    plugins: [react()],
    build: {
      target: ['chrome123', 'firefox128', 'safari17.5'],
      // The policy allows no inline script and no data: font, so nothing may be inlined.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      // What screens that load later share with the first one stays in one file: each is a request.
      rolldownOptions: {
        output: {
          codeSplitting: {
            groups: [{ name: 'base', test: /\/src\/(?:ui|net|shell|store|markdown|strings)|\/node_modules\/(?:react|react-dom|scheduler|zustand|virtua|idb)\// }],
          },
        },
      },
    },
    worker: { format: 'es' },
    test: { include: ['test/**/*.test.{ts,tsx,mjs}'] },
    server: {
      proxy: { '/api': { target: server, ws: true } },
    },
  };
});

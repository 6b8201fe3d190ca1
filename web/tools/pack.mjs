// Leaves scripts, styles and the library of encryption of a build packed only: that is how the server has them.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const ASSETS = new URL('../dist/assets/', import.meta.url);
const LARGE = 1_000_000;

function brotli(plain) {
  // The last tenth of a large file would take sixteen times as long.
  const quality = plain.length > LARGE ? 9 : constants.BROTLI_MAX_QUALITY;
  return brotliCompressSync(plain, {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS },
  });
}

for (const name of readdirSync(ASSETS).filter((one) => /\.(?:js|css|wasm)$/.test(one))) {
  const plain = readFileSync(new URL(name, ASSETS));
  writeFileSync(new URL(`${name}.br`, ASSETS), brotli(plain));
  writeFileSync(new URL(`${name}.gz`, ASSETS), gzipSync(plain, { level: 9 }));
  rmSync(new URL(name, ASSETS));
}

/** Starts workers: the page's policy lets nobody make a script's address of a string but this. */

interface Policies {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): { createScriptURL(url: string): unknown };
}

let policy: ReturnType<Policies['createPolicy']> | null = null;

/** Only a program that was built with this page is vouched for. */
function vouch(asked: string): string {
  const { origin, pathname, search, hash } = new URL(asked, location.origin);
  const ours = origin === location.origin && !search && !hash && /^\/app\/assets\/[\w.-]+\.js$/.test(pathname);
  if (!ours && !import.meta.env.DEV) throw new TypeError('not a script of ours');
  return asked;
}

function trusted(url: string): unknown {
  const types = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  if (!types) return url;
  policy ??= types.createPolicy('parlor', { createScriptURL: vouch });
  return policy.createScriptURL(url);
}

export function startWorker(url: string): Worker {
  return new Worker(trusted(url) as string, { type: 'module' });
}

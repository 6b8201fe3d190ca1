/** The server's key service, as the worker speaks to it; a test puts another one in its place. */
export interface Wire {
  call<T>(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: unknown): Promise<T>;
}

/** What an error of the server is called. */
export function codeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? '';
}

export interface WhoAmI {
  server_name: string;
  user_id: string;
  device_id: string;
}

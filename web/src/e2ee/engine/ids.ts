/** What the library calls people and places, and what we call them. The server's name is part of it, and never changes. */
export class Names {
  constructor(private readonly server: string) {}

  user(id: string): string {
    return `@${id}:${this.server}`;
  }

  /** Each chat session has keys of its own. */
  session(id: string): string {
    return `!${id}:${this.server}`;
  }

  message(id: string): string {
    return `$${id}`;
  }
}

/** Our id in one of the library's. */
export function plainId(name: string): string {
  return name.slice(1).replace(/:.*$/s, '');
}

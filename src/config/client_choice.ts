/** Which client `install` and `uninstall` are about. */
import { closest } from "./closest.ts";
import { ConfigError } from "./config_error.ts";

/** Gives the client of a word. Throws {@linkcode ConfigError} for a word that no client has, and for none. */
export function chooseClient<T extends { readonly name: string }>(
  word: string | null,
  { command, known }: {
    readonly command: string;
    /** By every word that names one. */
    readonly known: ReadonlyMap<string, T>;
  },
): T {
  const names = [...new Set([...known.values()].map(({ name }) => name))].join(", ");
  if (word === null) throw new ConfigError(`${command} needs a client: codex-swarm ${command} CLIENT, one of ${names}`);
  const client = known.get(word.toLowerCase());
  if (client !== undefined) return client;
  const meant = known.get(closest(word, known.keys()) ?? "");
  throw new ConfigError(
    `Unknown client "${word}": expected ${names}${meant === undefined ? "" : `; did you mean ${meant.name}?`}`,
  );
}

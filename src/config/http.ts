/** Where and for whom the server listens instead of on stdin: `--http` and the flags around it. */
import { hostName, isLoopback, nameOfHost } from "../task/host_name.ts";
import { ConfigError } from "./config_error.ts";
import { absolute, type Paths } from "./paths.ts";
import { readList, readSwitch, readText, readWholeNumber, type Sources } from "./settings.ts";
import { parseSwitch, parseWholeNumber } from "./values.ts";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 7077;
/** A host that can be told from a command and from a switch without a port behind it. */
const HOST_ALONE = /^(?:localhost|\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/i;
/** A header's value, and nothing that could be guessed soon. */
const TOKEN = /^[\x21-\x7e]{16,}$/;

/** Where the server listens. */
export type ListenAddress =
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "socket"; readonly path: string };

/** What requests must show. */
export type TokenSource =
  | { readonly kind: "none" }
  | { readonly kind: "given"; readonly token: string }
  /** Made there if it is the default one and absent. */
  | { readonly kind: "file"; readonly path: string; readonly isOwn: boolean };

export interface HttpSettings {
  readonly address: ListenAddress;
  readonly token: TokenSource;
  /** Names of hosts beside those of this machine under which clients may reach the server, in lower case. */
  readonly allowedHosts: readonly string[];
  /** Origins of web pages beside those of this machine that may call it. */
  readonly allowedOrigins: readonly string[];
}

/** Gives the address that `text` behind `--http` is; `null` when it is another argument. */
export function addressBehind(text: string): string | null {
  // As a port: by itself it would read as a switch.
  if (/^\d+$/.test(text) && parseSwitch(text) !== null) return `:${text}`;
  return /^(\[[^\]]*\]|[^:\s/]*):\d+$|^\d+$/.test(text) || HOST_ALONE.test(text) ? text : null;
}

/** Reads the flags; `null` when the server is to speak on stdin and stdout. */
export function readHttp(sources: Sources, paths: Paths, stateDir: string): HttpSettings | null {
  const asked = readText(sources, "http");
  const socket = readText(sources, "socket");
  const port = readText(sources, "port");
  const isOn = asked !== null && parseSwitch(asked) !== false;
  if (!isOn && socket === null && port === null) return null;
  if (socket !== null && (port !== null || (asked !== null && parseSwitch(asked) === null))) {
    throw new ConfigError("--socket names where to listen, and so do --http HOST:PORT and --port: give one of them");
  }
  const address: ListenAddress = socket !== null ? { kind: "socket", path: absolute(paths, socket) } : {
    kind: "tcp",
    ...tcpAddress(asked),
    ...(port === null ? {} : { port: readWholeNumber(sources, "port", [0, 65_535]) }),
  };
  const settings: HttpSettings = {
    address,
    token: readToken(sources, paths, stateDir),
    allowedHosts: readNames(sources, "allowed-host").map(allowedHost),
    allowedOrigins: readNames(sources, "allowed-origin").map(origin),
  };
  refuseOpenDoors(settings);
  return Object.freeze(settings);
}

/** `HOST:PORT`, `:PORT`, `PORT`, `[IPv6]:PORT`, or `localhost` or an address alone. */
function tcpAddress(text: string | null): { readonly host: string; readonly port: number } {
  if (text === null || parseSwitch(text) === true) return { host: DEFAULT_HOST, port: DEFAULT_PORT };
  if (HOST_ALONE.test(text)) return { host: text.replace(/^\[|\]$/g, ""), port: DEFAULT_PORT };
  const [, bracketed, plain, behind, alone] = /^(?:(?:\[([^\]]+)\]|([^:\s/]*)):(\d+)|(\d+))$/.exec(text) ?? [];
  const port = parseWholeNumber(behind ?? alone ?? "");
  if (port === null || port > 65_535) {
    throw new ConfigError(
      `Invalid --http "${text}": expected HOST:PORT, such as ${DEFAULT_HOST}:${DEFAULT_PORT}, or :PORT, or [::1]:PORT; ` +
        "only localhost and IP addresses may stand without a port",
    );
  }
  return { host: bracketed ?? (plain || DEFAULT_HOST), port };
}

function readToken(sources: Sources, paths: Paths, stateDir: string): TokenSource {
  const file = readText(sources, "token-file");
  const given = sources.env["CODEX_SWARM_TOKEN"] ?? "";
  if (readSwitch(sources, "no-token")) {
    if (file !== null) throw new ConfigError("--no-token and --token-file exclude each other: give one of them");
    return { kind: "none" };
  }
  if (file !== null) return { kind: "file", path: absolute(paths, file), isOwn: false };
  if (given === "") return { kind: "file", path: paths.path.join(stateDir, "token"), isOwn: true };
  if (!isToken(given)) {
    // Not repeated: it is a secret.
    throw new ConfigError("Invalid CODEX_SWARM_TOKEN: expected at least 16 printable ASCII characters without spaces");
  }
  return { kind: "given", token: given };
}

/** Tells whether a text can be a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

function readNames(sources: Sources, name: "allowed-host" | "allowed-origin"): string[] {
  const { flag, variable } = readList(sources, name, ",");
  return (flag.length > 0 ? flag : variable).flatMap((text) => text.split(",")).map((text) => text.trim())
    .filter((text) => text !== "");
}

function allowedHost(text: string): string {
  const name = hostName(text);
  if (name !== null && !name.includes("*")) return name;
  throw new ConfigError(
    `Invalid --allowed-host "${text}": expected a host's name, such as swarm.example.com; ` +
      "give the name of each, for there is none that stands for all",
  );
}

function origin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  const isPlain = url !== null && url.pathname.replace("/", "") === "" && url.search === "" && url.hash === "";
  if (url === null || !isPlain || !/^[a-z][a-z0-9+.-]*:\/\/./i.test(text)) {
    throw new ConfigError(
      `Invalid --allowed-origin "${text}": expected SCHEME://HOST[:PORT], such as https://example.com`,
    );
  }
  return text.replace(/\/$/, "").toLowerCase();
}

/** What others than this machine can reach takes both a token and the names that they know it by. */
function refuseOpenDoors({ address, token, allowedHosts }: HttpSettings): void {
  if (address.kind === "socket" || isLoopback(nameOfHost(address.host) ?? "")) return;
  const missing = [
    ...(token.kind === "none" ? ["a token (leave out --no-token)"] : []),
    ...(allowedHosts.length === 0 ? ["--allowed-host NAME for each name that clients reach it by"] : []),
  ];
  if (missing.length === 0) return;
  throw new ConfigError(
    `Cannot listen on ${address.host}, which other machines can reach, without ${missing.join(" and ")}`,
  );
}

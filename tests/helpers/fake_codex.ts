/** Puts a fake Codex on disk for one test: the one that follows directives, or the quick one for crowds. */
import { join } from "node:path";
import { writeExecutable } from "./executable.ts";
import { type Ledger, type LedgerEntry, readLedger } from "./ledger.ts";
import { tempDirectory } from "./temp_directory.ts";

export interface FakeCodex extends AsyncDisposable {
  /** The executable, to be used where a Codex path is asked for. */
  readonly path: string;
  /** Holds the executable as `codex`, so it can be put on PATH. */
  readonly directory: string;
  /** A `CODEX_HOME` that has a login. The fake uses it too when the caller sets no `CODEX_HOME`. */
  readonly home: string;
  /** Every `codex exec` so far, in the order of their starts. */
  ledger(): LedgerEntry[];
  /** How many of them ran at the same time at most; see {@linkcode Ledger}. */
  mostAtOnce(): number;
}

export interface FakeCodexOptions {
  /** The version it claims to be. Default 0.169.0. */
  readonly version?: string;
}

/** A DENO_DIR for all fakes: a test may give its agent another HOME, and a cold start takes three times as long. */
const CACHE = join(import.meta.dirname ?? "", "..", "..", ".cache", "fake_codex");

const FIXTURES = join(import.meta.dirname ?? "", "..", "fixtures");

/** What every server asks of its Codex first; in plain sh, since each start of Deno costs more than all else in a test. */
const QUICK_ANSWERS = `case "$*" in
  --version) printf 'codex-cli %s\\n' "$FAKE_CODEX_VERSION"; exit 0 ;;
  'exec --help') exec cat "$FAKE_CODEX_HELP/exec.txt" ;;
  'exec resume --help') exec cat "$FAKE_CODEX_HELP/resume.txt" ;;
esac`;

/** Installs the fake that follows the directives of `tests/fixtures/fake_codex`. A start takes some 50 ms. */
export function installFakeCodex(options: FakeCodexOptions = {}): Promise<FakeCodex> {
  const program = join(FIXTURES, "fake_codex", "fake_codex.ts");
  const command = [Deno.execPath(), "run", "-A", "--quiet", "--no-config", "--no-lock", program];
  return install(`${QUICK_ANSWERS}\nexec ${command.map(quote).join(" ")} "$@"`, options);
}

/** Installs the fake in plain `sh` for benches and a hundred at once; see `tests/fixtures/quick_codex.sh`. */
export function installQuickCodex(options: FakeCodexOptions = {}): Promise<FakeCodex> {
  return install(Deno.readTextFileSync(join(FIXTURES, "quick_codex.sh")), options);
}

async function install(body: string, { version = "0.169.0" }: FakeCodexOptions): Promise<FakeCodex> {
  const temp = await tempDirectory();
  const directory = join(temp.path, "bin");
  const home = join(temp.path, "codex_home");
  const ledgerPath = join(temp.path, "ledger.jsonl");
  const path = join(directory, "codex");
  for (const name of [directory, home]) await Deno.mkdir(name);
  await Deno.writeTextFile(join(home, "auth.json"), '{"auth_mode":"apikey","OPENAI_API_KEY":"fake"}\n');
  const variables = [
    ["CODEX_HOME", home],
    ["FAKE_CODEX_VERSION", version],
    ["FAKE_CODEX_LEDGER", ledgerPath],
    ["FAKE_CODEX_HELP", join(FIXTURES, "fake_codex", "help")],
    ["DENO_DIR", CACHE],
  ] as const;
  const defaults = variables.map(([name, value]) => `[ -n "$${name}" ] || ${name}=${quote(value)}`).join("\n");
  const names = variables.map(([name]) => name).join(" ");
  writeExecutable(path, `#!/bin/sh\n${defaults}\nexport ${names}\n${body}\n`);
  const read = (): Ledger => readLedger(ledgerPath);
  return {
    path,
    directory,
    home,
    ledger: () => read().entries,
    mostAtOnce: () => read().mostAtOnce,
    [Symbol.asyncDispose]: () => temp[Symbol.asyncDispose](),
  };
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

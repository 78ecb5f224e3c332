import { dirname, join } from "node:path";
import { tempDirectory } from "./temp_directory.ts";

export interface TempRepo extends AsyncDisposable {
  readonly path: string;
  /** Runs git in the repository and returns its stdout without the last line end. Throws when git fails. */
  git(...args: string[]): Promise<string>;
  /** Writes a file, with its directories. `path` is relative to the repository. */
  write(path: string, content: string): Promise<void>;
}

export interface TempRepoOptions {
  /** Content by relative path, all in the first commit. Default: a README.md. */
  readonly files?: Readonly<Record<string, string>>;
  /** Of the repository, in a directory that is removed with it; default that directory itself. */
  readonly name?: string;
  /** For `git init`. */
  readonly init?: readonly string[];
}

/** Set in the repository itself, so that they also win in the git calls of the program under test. */
const LOCAL_CONFIG: Readonly<Record<string, string>> = {
  "user.name": "Test",
  "user.email": "test@example.com",
  "commit.gpgSign": "false",
  "tag.gpgSign": "false",
  "core.autocrlf": "false",
  "core.excludesFile": "/dev/null",
  "core.hooksPath": ".git/hooks",
  "gc.auto": "0",
  "maintenance.auto": "false",
};

/** Makes a git repository on branch `main` with one commit, removed when its scope ends. */
export async function tempRepo(options: TempRepoOptions = {}): Promise<TempRepo> {
  const directory = await tempDirectory();
  const top = join(directory.path, options.name ?? "");
  await Deno.mkdir(top, { recursive: true });
  const git = (...args: string[]): Promise<string> => runGit(top, args);
  const write = async (path: string, content: string): Promise<void> => {
    const file = join(top, path);
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, content);
  };
  await git("init", "--quiet", "--initial-branch=main", ...options.init ?? []);
  // A process for each would take longer than all the rest.
  const settings = Object.entries(LOCAL_CONFIG).map(([key, value]) => {
    const [section = "", name = ""] = key.split(".");
    return `[${section}]\n\t${name} = ${value}\n`;
  });
  await Deno.writeTextFile(join(top, ".git", "config"), settings.join(""), { append: true });
  for (const [path, content] of Object.entries(options.files ?? { "README.md": "# Test\n" })) {
    await write(path, content);
  }
  await git("add", "--all");
  await git("commit", "--quiet", "--allow-empty", "--message=First commit");
  return {
    path: top,
    git,
    write,
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

async function runGit(cwd: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("git", {
    args: [...args],
    cwd,
    // A clean environment: a test may itself run inside a git hook, which sets GIT_DIR and GIT_INDEX_FILE.
    clearEnv: true,
    env: {
      PATH: Deno.env.get("PATH") ?? "",
      HOME: cwd,
      LC_ALL: "C",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
    },
    stdin: "null",
  }).output();
  if (code !== 0) throw new Error(`Cannot run git ${args.join(" ")}: ${new TextDecoder().decode(stderr).trim()}`);
  return new TextDecoder().decode(stdout).trimEnd();
}

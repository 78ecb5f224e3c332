import assert from "node:assert/strict";
import { clientNames } from "../../../src/cli/install/clients.ts";
import { chooseClient, ConfigError } from "../../../src/config.ts";

const NAMES = "claude-code, codex, cursor, vscode, claude-desktop, windsurf, zed, gemini, goose, opencode";

function choose(word: string | null): string {
  try {
    return chooseClient(word, { command: "install", known: clientNames }).name;
  } catch (error) {
    assert.ok(error instanceof ConfigError, `${error}`);
    return error.message;
  }
}

Deno.test("chooseClient() finds a client by each of its names", () => {
  assert.deepEqual(["claude", "Codex", "VS-Code", "code", "gemini-cli"].map(choose), [
    "claude-code",
    "codex",
    "vscode",
    "vscode",
    "gemini",
  ]);
});

Deno.test("chooseClient() lists the clients, and says which one was probably meant", () => {
  assert.equal(choose(null), `install needs a client: codex-swarm install CLIENT, one of ${NAMES}`);
  assert.equal(choose("emacs-lisp"), `Unknown client "emacs-lisp": expected ${NAMES}`);
  assert.equal(choose("cluade-code"), `Unknown client "cluade-code": expected ${NAMES}; did you mean claude-code?`);
  assert.equal(choose("gemini-cil"), `Unknown client "gemini-cil": expected ${NAMES}; did you mean gemini?`);
});

/** Which names stand for secrets. Codex's own list was KEY, SECRET and TOKEN while it still withheld any by default. */
const SECRET_WORDS = /KEY(?!BOARD)|SECRET|TOKEN|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|BEARER|AUTHORIZATION/i;
/** Only as whole words, since PATH and AUTHOR are none; git needs the socket of SSH_AUTH_SOCK, which holds no secret. */
const SHORT_SECRET_WORDS = /(?<![A-Z0-9])(PASS|PAT|AUTH(?!_SOCK))(?![A-Z0-9])/i;
/** This server's own variables that hold those of agents, secrets among them, whole. */
const OWN_VARIABLES: ReadonlySet<string> = new Set(["CODEX_SWARM_CONFIG", "CODEX_SWARM_ENV"]);
/** Values that are secrets whatever their name: keys of the usual providers. */
const SECRET_VALUE = /\b(sk-|ghp_|gho_|github_pat_|xox[abp]-|AKIA|Bearer\s)/;

/** Tells whether a variable or a configuration key looks like a secret. */
export function isSecretName(name: string): boolean {
  return SECRET_WORDS.test(name) || SHORT_SECRET_WORDS.test(name);
}

/** The variables that an agent's own commands shall not see: those that look like secrets and nobody passed on purpose. */
export function secretVariables(env: Readonly<Record<string, string>>, given: ReadonlySet<string>): string[] {
  return Object.keys(env).filter((name) => (isSecretName(name) || OWN_VARIABLES.has(name)) && !given.has(name)).sort();
}

/** Replaces the value of a `key=value` that looks like a secret, so that it can be shown. */
export function maskConfigValue(setting: string): string {
  const at = setting.indexOf("=");
  if (at < 0) return setting;
  // `env_key` names a variable that holds a key, `requires_openai_auth` is a switch; the values are no secrets.
  const isSecret = isSecretName(setting.replaceAll(/env_key|requires_openai_auth/g, "")) ||
    SECRET_VALUE.test(setting.slice(at + 1));
  return isSecret ? `${setting.slice(0, at)}=***` : setting;
}

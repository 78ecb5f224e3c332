/** A flag or variable that cannot be used: the message names it and what is legal. The program ends with exit code 2. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** What `install` and `uninstall` cannot do; the message says why, and nothing has been changed. */
export class InstallError extends Error {
  override readonly name = "InstallError";
}

/** What `main.ts` loads only when it is asked to change a client's configuration. */
export { clientNames } from "./clients.ts";
export { runInstall } from "./install.ts";
export { runUninstall } from "./uninstall.ts";
